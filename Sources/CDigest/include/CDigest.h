// SHA-256 (FIPS 180-4), with the instructions of the processor where it has them.
#ifndef CD_DIGEST_H
#define CD_DIGEST_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t state[8];
    uint64_t length;  // bytes added so far
    uint8_t block[64];
} cd_sha256;

void cd_sha256_start(cd_sha256 *hash);
void cd_sha256_add(cd_sha256 *hash, const void *bytes, size_t count);
// Leaves the hash as it is, so that more can be added.
void cd_sha256_finish(const cd_sha256 *hash, uint8_t digest[32]);

// For tests: whether only the instructions that any processor has are used from now on.
void cd_use_portable(int portable);

#endif
