#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <readline/readline.h>
#include <readline/history.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

// The callback interface with plain values, since Swift 6 does not let globals of C be used.

static inline void mt_rl_begin(const char *prompt, void (*line)(char *)) {
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_initialize();
    rl_reset_screen_size();
    rl_callback_handler_install(prompt, line);
}

static inline void mt_rl_name(const char *name) {
    rl_readline_name = name;
    // A stream of its own: what is typed is not output of the program.
    rl_outstream = fdopen(1, "w");
    // Entries of several lines stay one in the history's file.
    history_comment_char = '#';
    history_write_timestamps = 1;
    history_multiline_entries = 1;
    rl_variable_bind("show-all-if-ambiguous", "on");
    rl_variable_bind("mark-directories", "off");  // our folders end with a slash already
}

// `matches` makes the list for the word in start ..< end; `breaks` says which characters end a word.
static inline void mt_rl_complete_with(char **(*matches)(const char *, int, int), char *(*breaks)(void)) {
    rl_attempted_completion_function = matches;
    rl_completion_word_break_hook = breaks;
    rl_basic_quote_characters = "";  // or a quote before the word is put after it too
}

static inline const char *mt_rl_buffer(void) { return rl_line_buffer ? rl_line_buffer : ""; }

static inline int mt_rl_point(void) { return rl_point; }

// Called by `matches`: nothing is put after a completed word, and no file names are tried instead. Of paths, lists show the last
// part.
static inline void mt_rl_exactly(bool are_paths) {
    rl_completion_append_character = 0;
    rl_attempted_completion_over = 1;
    rl_filename_completion_desired = are_paths;
    rl_filename_quoting_desired = 0;
}

// Runs a command in the shell; its exit status, or 128 and the signal.
static inline int mt_shell(const char *command) {
    int status = system(command);
    if (status < 0) return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Shows a text with a command that reads it; whether that could be started. Ctrl-C is the command's.
static inline bool mt_page(const char *command, const char *text) {
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, broken;
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGPIPE, &ignore, &broken);
    FILE *pager = popen(command, "w");
    if (pager) fputs(text, pager);
    int status = pager ? pclose(pager) : -1;
    sigaction(SIGPIPE, &broken, NULL);
    sigaction(SIGINT, &interrupt, NULL);
    // What the shell says when there is no such command.
    return status != -1 && !(WIFEXITED(status) && WEXITSTATUS(status) == 127);
}

// Forgets what was typed, as Ctrl-C does, and gives the terminal back.
static inline void mt_rl_abandon(void) {
    // The next prompt comes below all of the line, not below the cursor.
    rl_point = rl_end;
    rl_redisplay();
    rl_free_line_state();
    rl_callback_sigcleanup();
    rl_replace_line("", 0);
    rl_crlf();
    rl_callback_handler_remove();
    fflush(rl_outstream);
}

// Waits with the signals of `mask` blocked, at most so many seconds unless they are 0: 1 for input, 2 for something at `news`
// (a descriptor, or -1), 3 when the terminal is gone, 4 for something at `jobs`, 0 for a signal or the end of the time.
static inline int mt_rl_wait(const sigset_t *mask, int news, int jobs, int seconds) {
    struct timespec time = {.tv_sec = seconds};
    struct pollfd waiting[] = {{.fd = 0, .events = POLLIN}, {.fd = news, .events = POLLIN}, {.fd = jobs, .events = POLLIN}};
    if (ppoll(waiting, 3, seconds > 0 ? &time : NULL, mask) <= 0) return 0;
    if (waiting[2].revents) return 4;
    if (waiting[0].revents & (POLLHUP | POLLERR | POLLNVAL)) return 3;
    return waiting[1].revents ? 2 : 1;
}

// The descriptor that tells of Ctrl-Z and of going on after it: handlers write to it on whatever thread a signal comes. (A
// signalfd would need the signals to be blocked on every thread, those of libraries too.)
static inline int *mt_rl_event(void) {
    static int event = -1;
    return &event;
}

static inline void mt_rl_on_job(int number) {
    int code = errno;
    uint64_t value = number == SIGTSTP ? 1 << 16 : 1;
    if (write(*mt_rl_event(), &value, sizeof value) < 0) { /* nothing can be done about it here */ }
    errno = code;
}

// Has the shell's job control told at the descriptor that it returns, or -1; what is ignored stays ignored.
static inline int mt_rl_jobs(void) {
    int *event = mt_rl_event();
    if (*event < 0) *event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (*event < 0) return -1;
    struct sigaction action = {.sa_handler = mt_rl_on_job, .sa_flags = SA_ONSTACK | SA_RESTART}, known;
    if (sigaction(SIGTSTP, NULL, &known) == 0 && known.sa_handler != SIG_IGN) sigaction(SIGTSTP, &action, NULL);
    sigaction(SIGCONT, &action, NULL);
    return *event;
}

// Leaves job control to the system again.
static inline void mt_rl_jobs_end(void) {
    struct sigaction action = {.sa_handler = SIG_DFL}, known;
    for (int i = 0; i < 2; i++) {
        int number = i ? SIGCONT : SIGTSTP;
        if (sigaction(number, NULL, &known) == 0 && known.sa_handler == mt_rl_on_job) sigaction(number, &action, NULL);
    }
}

// Does what a signal at `jobs` asks for: gives the terminal back and stops until the shell lets it go on, then takes the
// terminal and draws the line again.
static inline void mt_rl_stop(int jobs) {
    uint64_t asked = 0;
    if (read(jobs, &asked, sizeof asked) != sizeof asked) return;
    if (asked >> 16) {
        rl_deprep_term_function();
        mt_rl_jobs_end();
        raise(SIGTSTP);  // here it stops
        mt_rl_jobs();
    }
    rl_prep_term_function(1);
    rl_on_new_line();
    rl_redisplay();
}

// Takes what was typed. Where a search is under way or ends, the line is drawn anew: readline changes what differs from the
// line before, and miscounts where prompts have characters without width or lines have several rows.
static inline void mt_rl_read(void) {
    bool searched = RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH);
    rl_callback_read_char();
    if (!searched || !RL_ISSTATE(RL_STATE_CALLBACK)) return;  // or the line was taken meanwhile
    rl_clear_visible_line();
    rl_on_new_line();
    rl_redisplay();
}

// The thread that edits lines.
static inline pthread_t *mt_rl_editor(void) {
    static pthread_t thread;
    return &thread;
}

// Any thread may get the signal, those of libraries too; only on the editor's it ends the wait.
static inline void mt_rl_on_resize(int number) {
    if (!pthread_equal(pthread_self(), *mt_rl_editor())) pthread_kill(*mt_rl_editor(), number);
}

// Lets a new size of the terminal end a wait.
static inline void mt_rl_hear_resizing(void) {
    *mt_rl_editor() = pthread_self();
    struct sigaction action = {.sa_handler = mt_rl_on_resize, .sa_flags = SA_ONSTACK};
    sigaction(SIGWINCH, &action, NULL);
}

// Draws the line that is edited again, in a terminal of another size. readline's own way takes the lines to be where they were,
// but terminals wrap them anew: the line now begins so many rows above the cursor.
static inline void mt_rl_resized(int above) {
    if (above > 0) fprintf(rl_outstream, "\033[%dA", above);
    fputs("\r\033[J", rl_outstream);
    rl_reset_screen_size();
    rl_on_new_line();
    rl_redisplay();
}

// Takes the line that is edited off the screen, and shows it again.
static inline void mt_rl_hide(void) {
    rl_clear_visible_line();
    fflush(rl_outstream);
}

// Changes the prompt of the line that is edited, unless something else stands there, such as a search.
static inline void mt_rl_prompt(const char *prompt) {
    if (RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_METANEXT | RL_STATE_NUMERICARG)) return;
    if (rl_prompt && !strcmp(rl_prompt, prompt)) return;
    rl_clear_visible_line();
    rl_set_prompt(prompt);
    rl_on_new_line();
    rl_redisplay();
}

static inline void mt_rl_show(void) {
    rl_on_new_line();
    rl_redisplay();
}
