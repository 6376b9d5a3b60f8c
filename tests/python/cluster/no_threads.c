/* A process that may have few threads: preloaded, it lets each pthread_create fail but the first few. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_int left = -1, started, refused;

/* From now on so many threads start, and those after them do not; -1 lets all start. */
void threads_allow(int count) {
    atomic_store(&started, 0);
    atomic_store(&refused, 0);
    atomic_store(&left, count);
}

int threads_started(void) { return atomic_load(&started); }
int threads_refused(void) { return atomic_load(&refused); }

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                   void *(*work)(void *), void *restrict argument) {
    int allowed = atomic_load(&left);
    if (allowed >= 0 && atomic_load(&started) >= allowed) {
        atomic_fetch_add(&refused, 1);
        return EAGAIN;
    }
    atomic_fetch_add(&started, 1);
    return ((typeof(&pthread_create))dlsym(RTLD_NEXT, "pthread_create"))(thread, attributes, work, argument);
}
