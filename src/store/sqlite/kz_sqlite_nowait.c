
/*
 * The read calls of SQLite's unix VFS, with RWF_NOWAIT: see the header.
 *
 * A file system without RWF_NOWAIT refuses it (EOPNOTSUPP).  On tmpfs, which
 * never waits, such a read is done plainly; anywhere else it counts as one
 * that would wait.
 *
 * Nor does SQLite sleep or recover a log there: see the end of this file.
 *
 * A read that finds the beginning of its range in memory and not the rest
 * returns short; SQLite asks for the rest, which is then refused.
 */

#include "store/sqlite/kz_sqlite_nowait.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <sys/uio.h>
#include <sys/vfs.h>


#define KZ_SQLITE_TMPFS  0x01021994

/* the byte of the shared index that whoever rebuilds it locks: WAL_WRITE_LOCK
   of SQLite's WAL-index format */
#define KZ_SQLITE_WRITE_LOCK  120


typedef ssize_t (*kz_sqlite_read_pt)(int fd, void *buf, size_t n);
typedef ssize_t (*kz_sqlite_pread_pt)(int fd, void *buf, size_t n,
    off_t offset);


static ssize_t kz_sqlite_read_call(int fd, void *buf, size_t n);
static ssize_t kz_sqlite_pread_call(int fd, void *buf, size_t n,
    off_t offset);
static ssize_t kz_sqlite_preadv(int fd, void *buf, size_t n, off_t offset);
static int kz_sqlite_fcntl_call(int fd, int cmd, ...);
static int kz_sqlite_sleep(sqlite3_vfs *vfs, int us);


static __thread ngx_uint_t   kz_sqlite_nowait;
static __thread ngx_uint_t   kz_sqlite_refused;

static ngx_uint_t            kz_sqlite_works;
static int                 (*kz_sqlite_unix_sleep)(sqlite3_vfs *vfs, int us);


ngx_int_t
kz_sqlite_nowait_init(void)
{
    ngx_uint_t     i;
    sqlite3_vfs   *vfs;

    /* which of them exist depends on how SQLite was built */

    static const char  *positioned[] = { "pread", "pread64", NULL };

    if (sqlite3_initialize() != SQLITE_OK) {
        return NGX_ERROR;
    }

    vfs = sqlite3_vfs_find("unix");

    if (vfs == NULL || vfs->iVersion < 3 || vfs->xSetSystemCall == NULL) {
        return NGX_ERROR;
    }

    if (vfs->xSetSystemCall(vfs, "read",
                            (sqlite3_syscall_ptr) kz_sqlite_read_call)
        != SQLITE_OK
        || vfs->xSetSystemCall(vfs, "fcntl",
                               (sqlite3_syscall_ptr) kz_sqlite_fcntl_call)
           != SQLITE_OK)
    {
        return NGX_ERROR;
    }

    if (vfs->xSleep != kz_sqlite_sleep) {
        kz_sqlite_unix_sleep = vfs->xSleep;
        vfs->xSleep = kz_sqlite_sleep;
    }

    for (i = 0; positioned[i] != NULL; i++) {

        if (vfs->xGetSystemCall(vfs, positioned[i]) == NULL) {
            continue;
        }

        if (vfs->xSetSystemCall(vfs, positioned[i],
                                (sqlite3_syscall_ptr) kz_sqlite_pread_call)
            != SQLITE_OK)
        {
            return NGX_ERROR;
        }
    }

    kz_sqlite_works = 1;

    return NGX_OK;
}


ngx_uint_t
kz_sqlite_nowait_works(void)
{
    return kz_sqlite_works;
}


void
kz_sqlite_nowait_begin(void)
{
    kz_sqlite_nowait = 1;
    kz_sqlite_refused = 0;
}


ngx_uint_t
kz_sqlite_nowait_end(void)
{
    kz_sqlite_nowait = 0;

    return kz_sqlite_refused;
}


static ssize_t
kz_sqlite_read_call(int fd, void *buf, size_t n)
{
    /* offset -1: from the file's own position, which moves */

    return kz_sqlite_nowait ? kz_sqlite_preadv(fd, buf, n, -1)
                            : read(fd, buf, n);
}


static ssize_t
kz_sqlite_pread_call(int fd, void *buf, size_t n, off_t offset)
{
    return kz_sqlite_nowait ? kz_sqlite_preadv(fd, buf, n, offset)
                            : pread(fd, buf, n, offset);
}


static ssize_t
kz_sqlite_preadv(int fd, void *buf, size_t n, off_t offset)
{
    ssize_t         rc;
    struct iovec    iov;
    struct statfs   fs;

    iov.iov_base = buf;
    iov.iov_len = n;

    rc = preadv2(fd, &iov, 1, offset, RWF_NOWAIT);

    if (rc != -1) {
        return rc;
    }

    if (ngx_errno == EOPNOTSUPP) {

        if (fstatfs(fd, &fs) == 0 && fs.f_type == KZ_SQLITE_TMPFS) {
            return (offset == -1) ? read(fd, buf, n)
                                  : pread(fd, buf, n, offset);
        }

        ngx_set_errno(EAGAIN);
    }

    kz_sqlite_refused++;

    return -1;
}


/*
 * A reader that finds the shared index half written would rebuild it, which
 * takes as long as the log is.  It asks for the writer's lock first; without
 * it the read ends with SQLITE_BUSY or SQLITE_PROTOCOL.
 */

static int
kz_sqlite_fcntl_call(int fd, int cmd, ...)
{
    void          *arg;
    va_list        args;
    struct flock  *lock;

    va_start(args, cmd);
    arg = va_arg(args, void *);
    va_end(args);

    if (kz_sqlite_nowait && cmd == F_SETLK) {
        lock = arg;

        if (lock->l_type == F_WRLCK
            && lock->l_start <= KZ_SQLITE_WRITE_LOCK
            && lock->l_start + lock->l_len > KZ_SQLITE_WRITE_LOCK)
        {
            kz_sqlite_refused++;
            ngx_set_errno(EAGAIN);

            return -1;
        }
    }

    return fcntl(fd, cmd, arg);
}


static int
kz_sqlite_sleep(sqlite3_vfs *vfs, int us)
{
    if (kz_sqlite_nowait) {
        kz_sqlite_refused++;
        return us;
    }

    return kz_sqlite_unix_sleep(vfs, us);
}
