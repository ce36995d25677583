// SHA-256 (FIPS 180-4, sections 5 and 6.2).
#include <stdbool.h>
#include <string.h>

#include "CDigest.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

// Section 4.2.2.
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotated(uint32_t x, int by) { return x >> by | x << (32 - by); }

static void digest_portable(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
    for (; blocks; blocks--, bytes += 64) {
        uint32_t w[64], s[8];
        for (int t = 0; t < 16; t++)
            w[t] = (uint32_t)bytes[4 * t] << 24 | (uint32_t)bytes[4 * t + 1] << 16 | (uint32_t)bytes[4 * t + 2] << 8 |
                   bytes[4 * t + 3];
        for (int t = 16; t < 64; t++) {
            uint32_t a = w[t - 15], b = w[t - 2];
            w[t] = w[t - 16] + w[t - 7] + (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) +
                   (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10);
        }
        memcpy(s, state, sizeof s);
        // Instead of the eight numbers moving on by one place, the place of the first moves back.
        for (int t = 0; t < 64; t += 8) {
#pragma clang loop unroll(full)
            for (int i = 0; i < 8; i++) {
#define AT(place) s[((place) - i) & 7]
                uint32_t a = AT(0), e = AT(4);
                AT(7) += (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & AT(5)) ^ (~e & AT(6))) +
                         constants[t + i] + w[t + i];
                AT(3) += AT(7);
                AT(7) += (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) +
                         ((a & AT(1)) ^ (a & AT(2)) ^ (AT(1) & AT(2)));
#undef AT
            }
        }
        for (int i = 0; i < 8; i++) state[i] += s[i];
    }
}

#if defined(__x86_64__)
// The instructions keep the state as ABEF and CDGH, and do two rounds each.
__attribute__((target("sha,sse4.1"))) static void digest_sha(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i dcba = _mm_loadu_si128((const __m128i *)state), hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
    for (; blocks; blocks--, bytes += 64) {
        __m128i before_abef = abef, before_cdgh = cdgh, w[4];
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) {
            __m128i *now = &w[i & 3];
            if (i < 4)
                *now = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)bytes + i), swap);
            else {
                const __m128i last = w[(i + 3) & 3], third = w[(i + 2) & 3];
                __m128i sum = _mm_sha256msg1_epu32(*now, w[(i + 1) & 3]);
                sum = _mm_add_epi32(sum, _mm_alignr_epi8(last, third, 4));
                *now = _mm_sha256msg2_epu32(sum, last);
            }
            __m128i added = _mm_add_epi32(*now, _mm_loadu_si128((const __m128i *)(constants + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, added);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(added, 0x0e));
        }
        abef = _mm_add_epi32(abef, before_abef);
        cdgh = _mm_add_epi32(cdgh, before_cdgh);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

static bool has_instructions(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3)) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 29));
}
#endif

typedef void digest_blocks(uint32_t state[8], const uint8_t *bytes, size_t blocks);

static digest_blocks *chosen = digest_portable;

void cd_use_portable(int portable) {
#if defined(__x86_64__)
    chosen = !portable && has_instructions() ? digest_sha : digest_portable;
#else
    (void)portable;
#endif
}

__attribute__((constructor)) static void choose(void) { cd_use_portable(0); }

void cd_sha256_start(cd_sha256 *hash) {
    // Section 5.3.3.
    *hash = (cd_sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
                                  0x5be0cd19}};
}

void cd_sha256_add(cd_sha256 *hash, const void *from, size_t count) {
    const uint8_t *bytes = from;
    size_t held = hash->length % 64;
    hash->length += count;
    if (held) {
        size_t part = count < 64 - held ? count : 64 - held;
        if (part) memcpy(hash->block + held, bytes, part);
        if (held + part < 64) return;
        chosen(hash->state, hash->block, 1);
        bytes += part;
        count -= part;
    }
    if (count >= 64) chosen(hash->state, bytes, count / 64);
    if (count % 64) memcpy(hash->block, bytes + count / 64 * 64, count % 64);
}

void cd_sha256_finish(const cd_sha256 *hash, uint8_t digest[32]) {
    // Section 5.1.1: a bit, zeros, and the length in bits.
    cd_sha256 last = *hash;
    uint8_t end[72] = {0x80};
    size_t zeros = (119 - hash->length % 64) % 64;
    uint64_t bits = hash->length * 8;
    for (int i = 0; i < 8; i++) end[1 + zeros + i] = (uint8_t)(bits >> (56 - 8 * i));
    cd_sha256_add(&last, end, 1 + zeros + 8);
    for (int i = 0; i < 32; i++) digest[i] = (uint8_t)(last.state[i / 4] >> (24 - 8 * (i % 4)));
}
