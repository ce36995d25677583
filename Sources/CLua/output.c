// Standard output and standard error: streams that tell a listener what passes, before it goes to the descriptor. print,
// io.write, io.stderr and Swift's print write to the C library's stdout and stderr, which these replace; what child
// processes write goes to the descriptors alone.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "internal.h"

static struct {
    mt_listener tell;
    void *context;
    bool only;
} listener;

static bool lost;  // something never arrived at standard output

bool mt_put(int descriptor, const void *bytes, size_t length) {
    const char *from = bytes;
    while (length > 0) {
        ssize_t count = write(descriptor, from, length);
        if (count < 0) {
            if (errno == EINTR) continue;
            if (descriptor == STDOUT_FILENO) lost = true;
            if (errno == EPIPE) mt_lost_reader();
            return false;
        }
        from += count;
        length -= (size_t)count;
    }
    return true;
}

static ssize_t put(void *cookie, const char *bytes, size_t length) {
    int descriptor = (int)(intptr_t)cookie;
    if (listener.tell) listener.tell(listener.context, descriptor, bytes, length);
    if (listener.tell && listener.only) return (ssize_t)length;
    return mt_put(descriptor, bytes, length) ? (ssize_t)length : 0;
}

static int seek(void *cookie, off64_t *position, int from) {
    *position = lseek((int)(intptr_t)cookie, *position, from);
    return *position < 0 ? -1 : 0;
}

static FILE *stream(int descriptor, int buffering) {
    cookie_io_functions_t functions = {.write = put, .seek = seek};
    FILE *file = fopencookie((void *)(intptr_t)descriptor, "w", functions);
    if (file) setvbuf(file, NULL, buffering, BUFSIZ);
    return file;
}

static void install(void) {
    fflush(stdout);
    FILE *out = stream(STDOUT_FILENO, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF);
    FILE *error = stream(STDERR_FILENO, _IONBF);
    if (out) stdout = out;
    if (error) stderr = error;
}

void mt_setup_output(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
}

void mt_listen(mt_listener tell, void *context, bool only) {
    fflush(stdout);
    listener.tell = tell;
    listener.context = context;
    listener.only = only;
    // Who shows it instead of a terminal wants lines as they come.
    if (tell && only) setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

void mt_write(const void *bytes, size_t length) { fwrite(bytes, 1, length, stdout); }

void mt_write_error(const void *bytes, size_t length) {
    fflush(stdout);
    fwrite(bytes, 1, length, stderr);
}

bool mt_flush(void) { return fflush(stdout) == 0 && !ferror(stdout) && !lost; }
