
/*
 * Preloaded into nginx: a disk that is full for as long as the file FLAG is
 * there.  What is written below the directory DATA fails with ENOSPC, or
 * only its first half is written when that file is not empty.  Both are
 * compiled in: nginx empties its environment.
 *
 *     cc -shared -fPIC -DFLAG='"/tmp/full"' -DDATA='"/tmp/data"'
 *         -o full_disk.so full_disk.c -ldl
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>


/* 0: there is room; 1: none; 2: for the half. */

static int
full(int fd)
{
    char         link[64], path[1024];
    ssize_t      n;
    struct stat  st;

    if (stat(FLAG, &st) == -1) {
        return 0;
    }

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);

    if (n <= 0) {
        return 0;
    }

    path[n] = '\0';

    if (strncmp(path, DATA, strlen(DATA)) != 0) {
        return 0;
    }

    return st.st_size ? 2 : 1;
}


#define REAL(name)                                                            \
    static __typeof__(&name)  real;                                           \
                                                                              \
    if (real == NULL) {                                                       \
        real = (__typeof__(&name)) dlsym(RTLD_NEXT, #name);                   \
    }

#define ROOM(len)                                                             \
    switch (len > 1 ? full(fd) : full(fd) != 0) {                             \
    case 1:                                                                   \
        errno = ENOSPC;                                                       \
        return -1;                                                            \
    case 2:                                                                   \
        len /= 2;                                                             \
    }


ssize_t
write(int fd, const void *buf, size_t len)
{
    REAL(write)
    ROOM(len)

    return real(fd, buf, len);
}


ssize_t
pwrite(int fd, const void *buf, size_t len, off_t at)
{
    REAL(pwrite)
    ROOM(len)

    return real(fd, buf, len, at);
}


ssize_t
pwrite64(int fd, const void *buf, size_t len, off64_t at)
{
    REAL(pwrite64)
    ROOM(len)

    return real(fd, buf, len, at);
}


int
posix_fallocate(int fd, off_t at, off_t len)
{
    REAL(posix_fallocate)

    return full(fd) ? ENOSPC : real(fd, at, len);
}


int
posix_fallocate64(int fd, off64_t at, off64_t len)
{
    REAL(posix_fallocate64)

    return full(fd) ? ENOSPC : real(fd, at, len);
}
