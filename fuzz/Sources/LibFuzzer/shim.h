#include <stddef.h>
#include <stdint.h>

// libFuzzer without its own main, which would meet the one that SwiftPM names.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
