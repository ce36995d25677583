// Standard input from whoever stands for a terminal.
#define _GNU_SOURCE
#include <stdio.h>

#include "internal.h"

static mt_reader reader;
static void *reader_context;

static ssize_t get(void *cookie, char *bytes, size_t room) {
    (void)cookie;
    fflush(stdout);
    return reader(reader_context, bytes, room);
}

void mt_read_from(mt_reader read, void *context) {
    reader = read;
    reader_context = context;
    FILE *file = fopencookie(NULL, "r", (cookie_io_functions_t){.read = get});
    if (file) stdin = file;
}
