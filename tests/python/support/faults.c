/* A file system that fails: preloaded, it lets chosen reads below one directory end in an error, as a network does. */
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
    if (known(fd) && strikes()) return -1;
    return REAL(read)(fd, to, size);
}

int flock(int fd, int operation) {
    if (known(fd) && strikes()) return -1;
    return REAL(flock)(fd, operation);
}

int statx(int at, const char *restrict path, int flags, unsigned mask, struct statx *restrict out) {
    /* Rust asks with null pointers whether there is statx; the header promises that nobody does */
    const char *volatile name = path;
    if (name && (below(path) || (!*path && known(at))) && strikes()) return -1;
    return REAL(statx)(at, path, flags, mask, out);
}

#define STAT(name, type)                             \
    int name(const char *path, struct type *out) {   \
        if (below(path) && strikes()) return -1;     \
        return REAL(name)(path, out);                \
    }
STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)

DIR *opendir(const char *path) {
    if (below(path) && strikes()) return NULL;
    DIR *listing = REAL(opendir)(path);
    if (listing) opened(dirfd(listing), path);
    return listing;
}

struct dirent64 *readdir64(DIR *listing) {
    if (known(dirfd(listing)) && strikes()) return NULL;
    return REAL(readdir64)(listing);
}

ssize_t readlink(const char *path, char *to, size_t size) {
    if (below(path) && strikes()) return -1;
    return REAL(readlink)(path, to, size);
}

char *realpath(const char *path, char *to) {
    if (below(path) && strikes()) return NULL;
    return REAL(realpath)(path, to);
}
