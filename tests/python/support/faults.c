/* A file system that fails and one that is slow: preloaded, it lets chosen calls below one directory end in an error, or each of
   them take a while, as a network does. It counts them by kind. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FDS 4096

static char root[4096];
static size_t length;
static int number, lasts;
static atomic_int first = -1, seen;
static atomic_char inside[FDS];

/* From now on the call of this number below `where` fails with `error`, and those after it if it lasts; -1 only counts. */
void fault_arm(const char *where, int at, int error, int lasting) {
    length = strlen(where);
    memcpy(root, where, length + 1);
    number = error;
    lasts = lasting;
    atomic_store(&seen, 0);
    atomic_store(&first, at);
}

/* How many calls there were since; nothing fails any more. */
int fault_disarm(void) {
    length = 0;
    atomic_store(&first, -1);
    return atomic_load(&seen);
}

/* What a network file system is asked. The answer to `fstat` came when the file was opened. */
enum kind { LOOKS, OPENS, READS, LISTS, LOCKS, KINDS };

static atomic_long counts[KINDS];
static atomic_int waiting, most;
static long delay;

/* From now on each call below `where` takes so many microseconds longer and is counted; nothing fails. */
void slow_arm(const char *where, long microseconds) {
    length = strlen(where);
    memcpy(root, where, length + 1);
    delay = microseconds;
    atomic_store(&first, -1);
    atomic_store(&most, 0);
    for (int kind = 0; kind < KINDS; kind++) atomic_store(&counts[kind], 0);
}

/* The calls of each kind since, and how many there were at the same time. */
void slow_disarm(long *calls, int *together) {
    length = delay = 0;
    for (int kind = 0; kind < KINDS; kind++) calls[kind] = atomic_load(&counts[kind]);
    *together = atomic_load(&most);
}

static void waits(enum kind kind) {
    atomic_fetch_add(&counts[kind], 1);
    int now = atomic_fetch_add(&waiting, 1) + 1, before = atomic_load(&most);
    while (now > before && !atomic_compare_exchange_weak(&most, &before, now)) {}
    struct timespec pause = {delay / 1000000, delay % 1000000 * 1000};
    if (delay) nanosleep(&pause, 0);
    atomic_fetch_sub(&waiting, 1);
}

static int strikes(void) {
    int now = atomic_fetch_add(&seen, 1), at = atomic_load(&first);
    if (at < 0 || now < at || (now > at && !lasts)) return 0;
    errno = number;
    return 1;
}

static int below(const char *path) {
    return length && path && !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

static int known(int fd) { return length && fd >= 0 && fd < FDS && atomic_load(&inside[fd]); }

static int opened(int fd, const char *path) {
    if (fd >= 0 && fd < FDS) atomic_store(&inside[fd], below(path));
    return fd;
}

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                                                \
    int name(const char *path, int flags, ...) {                                  \
        va_list rest;                                                             \
        va_start(rest, flags);                                                    \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                             \
        if (below(path)) waits(OPENS);                                            \
        if (below(path) && strikes()) return -1;                                  \
        return opened(REAL(name)(path, flags, mode), path);                       \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    if (fd >= 0 && fd < FDS) atomic_store(&inside[fd], 0);
    return REAL(close)(fd);
}

ssize_t read(int fd, void *to, size_t size) {
    if (known(fd)) waits(READS);
    if (known(fd) && strikes()) return -1;
    return REAL(read)(fd, to, size);
}

#define READ_AT(name, type)                                      \
    ssize_t name(int fd, void *to, size_t size, type from) {     \
        if (known(fd)) waits(READS);                             \
        if (known(fd) && strikes()) return -1;                   \
        return REAL(name)(fd, to, size, from);                   \
    }
READ_AT(pread, off_t)
READ_AT(pread64, off64_t)

int flock(int fd, int operation) {
    if (known(fd)) waits(LOCKS);
    if (known(fd) && strikes()) return -1;
    return REAL(flock)(fd, operation);
}

int statx(int at, const char *restrict path, int flags, unsigned mask, struct statx *restrict out) {
    /* Rust asks with null pointers whether there is statx; the header promises that nobody does */
    const char *volatile name = path;
    if (name && below(path)) waits(LOOKS);
    if (name && (below(path) || (!*path && known(at))) && strikes()) return -1;
    return REAL(statx)(at, path, flags, mask, out);
}

#define STAT(name, type)                             \
    int name(const char *path, struct type *out) {   \
        if (below(path)) waits(LOOKS);               \
        if (below(path) && strikes()) return -1;     \
        return REAL(name)(path, out);                \
    }
STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)

/* Two calls: one opens the directory, one returns its entries. */
DIR *opendir(const char *path) {
    if (below(path)) waits(OPENS);
    if (below(path) && strikes()) return NULL;
    DIR *listing = REAL(opendir)(path);
    if (listing) opened(dirfd(listing), path);
    if (listing && below(path)) waits(LISTS);
    return listing;
}

struct dirent64 *readdir64(DIR *listing) {
    if (known(dirfd(listing)) && strikes()) return NULL;
    return REAL(readdir64)(listing);
}

ssize_t readlink(const char *path, char *to, size_t size) {
    if (below(path)) waits(LOOKS);
    if (below(path) && strikes()) return -1;
    return REAL(readlink)(path, to, size);
}

char *realpath(const char *path, char *to) {
    if (below(path)) waits(LOOKS);
    if (below(path) && strikes()) return NULL;
    return REAL(realpath)(path, to);
}
