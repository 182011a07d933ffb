/* What is declared `volatile`, for the compiler's option `tsan-distinguish-volatile`. Visual C++ for x64 reads such a thing
 * with acquire order and writes it with release order (/volatile:ms), and sources rely on it: a flag that ends a loop in
 * another thread is no race there. */
#include <stdint.h>

/* Of the interface of the runtime; orders are those of C11, by number. */
enum { ACQUIRE = 2, RELEASE = 3 };
uint8_t __tsan_atomic8_load(const volatile uint8_t *address, int order);
uint16_t __tsan_atomic16_load(const volatile uint16_t *address, int order);
uint32_t __tsan_atomic32_load(const volatile uint32_t *address, int order);
uint64_t __tsan_atomic64_load(const volatile uint64_t *address, int order);
uint8_t __tsan_atomic8_fetch_or(volatile uint8_t *address, uint8_t value, int order);
uint16_t __tsan_atomic16_fetch_or(volatile uint16_t *address, uint16_t value, int order);
uint32_t __tsan_atomic32_fetch_or(volatile uint32_t *address, uint32_t value, int order);
uint64_t __tsan_atomic64_fetch_or(volatile uint64_t *address, uint64_t value, int order);
void __tsan_acquire(void *address);
void __tsan_release(void *address);

/* The access itself follows the call. A reader that came between the two would have the value and not the order, so the
 * writer gives a reader that has called before time to read what was there before. */
static void let_readers_finish(void) {
    for (int i = 0; i < 1000; i++) {
        __asm__ __volatile__("" ::: "memory");
    }
}

#define VOLATILE(bytes, bits) \
    void __tsan_volatile_read##bytes(void *address) { \
        __tsan_atomic##bits##_load(address, ACQUIRE); \
    } \
    void __tsan_volatile_write##bytes(void *address) { \
        __tsan_atomic##bits##_fetch_or(address, 0, RELEASE); \
        let_readers_finish(); \
    }

VOLATILE(1, 8)
VOLATILE(2, 16)
VOLATILE(4, 32)
VOLATILE(8, 64)

/* What no single access reads or writes. */
#define IN_PIECES(read, write) \
    void read(void *address) { \
        __tsan_acquire(address); \
    } \
    void write(void *address) { \
        __tsan_release(address); \
        let_readers_finish(); \
    }

IN_PIECES(__tsan_volatile_read16, __tsan_volatile_write16)
IN_PIECES(__tsan_unaligned_volatile_read2, __tsan_unaligned_volatile_write2)
IN_PIECES(__tsan_unaligned_volatile_read4, __tsan_unaligned_volatile_write4)
IN_PIECES(__tsan_unaligned_volatile_read8, __tsan_unaligned_volatile_write8)
IN_PIECES(__tsan_unaligned_volatile_read16, __tsan_unaligned_volatile_write16)
