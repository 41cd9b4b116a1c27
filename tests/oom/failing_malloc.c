/* A malloc that fails on demand, for LD_PRELOAD: one allocation, or all from one on, of those that count. These are the
   ones that code within some ranges of addresses asks for, or all of the process. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

enum { RANGES = 8 };
static uintptr_t begins[RANGES], ends[RANGES];
static int ranges; /* 0: all count */
static int failing, forever;
static long first, counted;

void clear_ranges(void) { ranges = 0; }
void add_range(uintptr_t begin, uintptr_t end) { begins[ranges] = begin, ends[ranges] = end, ++ranges; }

/* The allocation `number`, counted from 1, is to fail; with `from_then_on` the others after it, too. */
void start_failing(long number, int from_then_on) {
  first = number, forever = from_then_on, counted = 0;
  __atomic_store_n(&failing, 1, __ATOMIC_SEQ_CST);
}

/* Returns how many have been counted since. */
long stop_failing(void) {
  __atomic_store_n(&failing, 0, __ATOMIC_SEQ_CST);
  return counted;
}

static int counts(uintptr_t caller) {
  for (int i = 0; i < ranges; ++i)
    if (begins[i] <= caller && caller < ends[i]) return 1;
  return ranges == 0;
}

static int fails(void* caller) {
  if (!__atomic_load_n(&failing, __ATOMIC_RELAXED) || !counts((uintptr_t)caller)) return 0;
  const long number = __atomic_add_fetch(&counted, 1, __ATOMIC_RELAXED);
  if (forever ? number < first : number != first) return 0;
  errno = ENOMEM;
  return 1;
}

#define FAILS fails(__builtin_return_address(0))

void* malloc(size_t size) { return FAILS ? NULL : __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return FAILS ? NULL : __libc_calloc(count, size); }
void* realloc(void* block, size_t size) { return FAILS ? NULL : __libc_realloc(block, size); }
void* aligned_alloc(size_t alignment, size_t size) { return FAILS ? NULL : __libc_memalign(alignment, size); }
int posix_memalign(void** block, size_t alignment, size_t size) {
  if (FAILS) return ENOMEM;
  *block = __libc_memalign(alignment, size);
  return *block == NULL ? ENOMEM : 0;
}
