#include <zmq.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

// A descriptor that is readable when a process has ended; -1 with errno.
static inline int mt_process_open(int process) { return (int)syscall(SYS_pidfd_open, process, 0); }

// A descriptor that zmq_poll can wait for, raised by other threads; Glibc's module does not show its flags to Swift.
static inline int mt_event_new(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

static inline void mt_event_raise(int event) {
    uint64_t one = 1;
    if (write(event, &one, sizeof one) < 0) { /* it is raised already */ }
}

static inline void mt_event_lower(int event) {
    uint64_t count;
    if (read(event, &count, sizeof count) < 0) { /* it was not raised */ }
}
