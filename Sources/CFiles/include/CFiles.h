// Files by name, for scripts that may be confined to a folder (--safe).
//
// Each function does what the system call of its name does, with -1 and errno on failure. Once the process is confined, a
// name is resolved part by part from the descriptor of the folder, links included, and what leads out of the folder fails
// with CF_OUTSIDE. The decision is made on the very descriptors that are opened, so no link or folder can be put in place
// between it and the use.
#ifndef CFILES_H
#define CFILES_H

#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#define CF_OUTSIDE EBADE

// Confines this process to a folder for good; the first call decides.
int cf_confine(const char *folder);
bool cf_is_confined(void);

// 0 if the name leads to a place in the folder, whether anything is there or not.
int cf_check(const char *path);
int cf_open(const char *path, int flags, mode_t mode);
int cf_stat(const char *path, struct stat *status, bool follow);
ssize_t cf_readlink(const char *path, char *target, size_t room);
int cf_mkdir(const char *path, mode_t mode);
int cf_rename(const char *from, const char *to);
// Removes a file or an empty folder.
int cf_remove(const char *path);

// What `statfs` calls the file system that a file is on; -1 if it cannot be asked.
long cf_file_system(const char *path);

#endif
