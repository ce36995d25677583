// Keeps what is typed from being shown while a line of progress is rewritten in place; it is read afterwards as always.
#include <stdbool.h>
#include <termios.h>
#include <unistd.h>

#include "internal.h"

static struct termios before;
static volatile bool quiet;

void mt_quiet(bool on) {
    if (on == quiet) return;
    if (!on) {
        quiet = false;
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
        return;
    }
    // A background process may not touch its terminal.
    if (tcgetpgrp(STDIN_FILENO) != getpgrp() || tcgetattr(STDIN_FILENO, &before)) return;
    if (!(before.c_lflag & ECHO)) return;
    struct termios now = before;
    now.c_lflag &= ~(tcflag_t)ECHO;
    quiet = tcsetattr(STDIN_FILENO, TCSANOW, &now) == 0;
}
