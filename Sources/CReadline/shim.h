#include <stdbool.h>
#include <stdio.h>
#include <readline/readline.h>
#include <readline/history.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/select.h>

// The callback interface with plain values, since Swift 6 does not let globals of C be used.

static inline void mt_rl_begin(const char *prompt, void (*line)(char *)) {
    rl_catch_signals = 0;
    rl_callback_handler_install(prompt, line);
}

static inline void mt_rl_name(const char *name) { rl_readline_name = name; }

// Forgets what was typed, as Ctrl-C does, and gives the terminal back.
static inline void mt_rl_abandon(void) {
    rl_free_line_state();
    rl_callback_sigcleanup();
    rl_replace_line("", 0);
    rl_crlf();
    rl_callback_handler_remove();
    fflush(stdout);
}

// Waits for input with the signals of `mask` blocked; whether there is any.
static inline bool mt_rl_wait(const sigset_t *mask) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(0, &set);
    return pselect(1, &set, NULL, NULL, NULL, mask) > 0;
}
