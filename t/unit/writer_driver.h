#ifndef _KZ_WRITER_DRIVER_H_INCLUDED_
#define _KZ_WRITER_DRIVER_H_INCLUDED_

/*
 * Drives the writer over its socket like a worker does, in processes of its
 * own.  Included once by each test_writer*.c.
 *
 * The bus is a stub: its "shared memory" holds the pending record and says
 * where a writer has to die.
 */

#include "kz_shim.h"
#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "store/sqlite/kz_sqlite_writer.h"


#define MAX_OPS  20000


/* What the processes of this test share. */

typedef struct {
    volatile int        die_before;    /* before this COMMIT: SIGKILL */
    volatile int        die_after;     /* after it, before the reply */
    volatile int        hold;          /* before COMMIT: wait */
    volatile unsigned   doubled;       /* a group was begun in another */
    volatile unsigned   catalog;
    volatile unsigned   begun;
    volatile unsigned   published;
    volatile unsigned   discarded;
    volatile unsigned   kept;
    volatile unsigned   dropped;
    volatile size_t     len;           /* of the pending record */
    u_char              record[4096];
    volatile unsigned   announced;     /* changes published */
    kz_change_t         last;          /* of them; strings: text */
    u_char              text[4096];
} shared_t;


/* A worker. */

typedef struct {
    int                 fd;
    uint64_t            session;
    uint64_t            seq;
    uint64_t            leaving;       /* what LEAVING said */
    u_char             *in;
    size_t              in_len;
    kz_wire_result_t   *results;       /* by seq */
    u_char             *got;
    u_char            **memory;
    uint64_t            acked;
    unsigned            lost:1;
} worker_t;


static shared_t   *shared;
static char        dir[64];
static __thread ngx_uint_t  group_size;
static __thread ngx_uint_t  group_open;
static int         is_writer;

ngx_pid_t          ngx_parent;
static int64_t     patience = 5000;    /* deadline of an operation, ms */
static ngx_uint_t  open_files = 16;


/* The stub of the bus. */

uint64_t
kz_bus_id(void)
{
    return 42;
}



ngx_uint_t
kz_bus_listened(ngx_str_t *index, ngx_str_t *collection)
{
    (void) collection;

    return index->len >= 4 && memcmp(index->data, "live", 4) == 0;
}


void
kz_bus_group_begin(kz_bus_group_t *g, ngx_str_t *records, ngx_uint_t n)
{
    (void) g;

    if (group_open) {
        shared->doubled++;
    }

    group_open = 1;
    group_size = n;
    shared->begun++;

    while (shared->hold) {
        usleep(1000);
    }

    if (records[0].len <= sizeof(shared->record)) {
        memcpy(shared->record, records[0].data, records[0].len);
        shared->len = records[0].len;
    }

    if (shared->die_before) {
        shared->die_before = 0;
        raise(SIGKILL);
    }
}


void
kz_bus_group_end(kz_bus_group_t *g, ngx_uint_t published)
{
    (void) g;

    group_open = 0;

    if (published) {
        shared->published++;

        if (shared->len) {
            memcpy(shared->text, shared->record, shared->len);
            (void) kz_change_read(&shared->last, shared->text, shared->len);
        }

        (void) __atomic_fetch_add(&shared->announced, group_size,
                                  __ATOMIC_RELEASE);

    } else {
        shared->discarded++;
    }

    shared->len = 0;
}


/* Instead of the library's: the first thing a writer sends is a result. */

ssize_t
send(int fd, const void *buf, size_t len, int flags)
{
    if (is_writer && shared->die_after) {
        shared->die_after = 0;
        raise(SIGKILL);
    }

    return sendto(fd, buf, len, flags, NULL, 0);
}


void
kz_bus_writer_recover(ngx_uint_t (*keep)(void *data, u_char *payload,
    size_t len), void *data)
{
    if (shared->len == 0) {
        return;
    }

    if (keep(data, shared->record, shared->len)) {
        shared->kept++;

    } else {
        shared->dropped++;
    }

    shared->len = 0;
}


void
kz_bus_catalog_changed(void)
{
    (void) __atomic_fetch_add(&shared->catalog, 1, __ATOMIC_RELAXED);
}


void
kz_bus_internal_changed(void)
{
}


/* Processes. */

static pid_t
writer_start(void)
{
    int        sig;
    pid_t      pid;
    sigset_t   set;
    ngx_str_t  d;

    fflush(stdout);

    pid = fork();

    if (pid != 0) {
        return pid;
    }

    is_writer = 1;
    ngx_parent = getppid();

    d.data = (u_char *) dir;
    d.len = strlen(dir);

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);

    if (kz_sqlite_writer_start(&d, open_files) != NGX_OK) {
        _exit(3);
    }

    sigwait(&set, &sig);
    kz_sqlite_writer_stop();

    /* not _exit(): a sanitizer looks for leaks now */

    exit(0);
}


static int
process_end(pid_t pid, int sig)
{
    int  status;

    if (sig) {
        kill(pid, sig);
    }

    waitpid(pid, &status, 0);

    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}


static void
worker_connect(worker_t *w)
{
    int                  i;
    u_char               buf[KZ_WIRE_HELLO_LEN];
    kz_wire_hello_t      hello;
    struct sockaddr_un   sun;

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;
    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/writer.sock", dir);

    for (i = 0; i < 2000; i++) {
        w->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (connect(w->fd, (struct sockaddr *) &sun, sizeof(sun)) == 0) {
            break;
        }

        close(w->fd);
        w->fd = -1;
        usleep(5000);
    }

    if (w->fd == -1) {
        printf("Bail out! no writer\n");
        exit(1);
    }

    hello.version = KZ_WIRE_VERSION;
    hello.pid = getpid();
    hello.session = w->session;

    (void) kz_wire_hello_write(buf, &hello);
    (void) !send(w->fd, buf, sizeof(buf), MSG_NOSIGNAL);

    w->in_len = 0;
    w->lost = 0;
    w->leaving = (uint64_t) -1;
}


static worker_t *
worker_new(void)
{
    worker_t         *w;
    static uint64_t   sessions = 0x8000000000001000ULL;

    w = calloc(1, sizeof(worker_t));
    w->session = ++sessions;
    w->in = malloc(1 << 22);
    w->results = calloc(MAX_OPS, sizeof(kz_wire_result_t));
    w->got = calloc(MAX_OPS, 1);
    w->memory = calloc(MAX_OPS, sizeof(u_char *));

    worker_connect(w);

    return w;
}


static void
worker_free(worker_t *w)
{
    uint64_t  i;

    if (w->fd != -1) {
        close(w->fd);
    }

    for (i = 0; i <= w->seq; i++) {
        free(w->memory[i]);
    }

    free(w->in);
    free(w->results);
    free(w->got);
    free(w->memory);
    free(w);
}


static void
set_str(ngx_str_t *s, const char *text)
{
    s->data = (u_char *) text;
    s->len = text ? strlen(text) : 0;
}


/* Sends an operation, or sends it again when seq is not 0. */

static uint64_t
ask_at(worker_t *w, uint64_t seq, int retry, int kind, int dialect,
    const char *index, const char *collection, const char *id,
    const char *body, int64_t deadline)
{
    u_char        *buf;
    size_t         len;
    kz_wire_op_t   op;

    memset(&op, 0, sizeof(op));

    while (w->acked < w->seq && w->got[w->acked + 1]) {
        w->acked++;
    }

    op.seq = seq ? seq : ++w->seq;
    op.acked = ngx_min(w->acked, op.seq - 1);
    op.deadline = deadline;
    op.timestamp = 1700000000000 + (int64_t) op.seq;
    op.kind = kind;
    op.dialect = dialect;
    op.flags = retry ? KZ_WIRE_RETRY : 0;

    set_str(&op.index, index);
    set_str(&op.collection, collection);
    set_str(&op.id, id);
    set_str(&op.body, body);
    set_str(&op.request_id, "r1");
    set_str(&op.controller, "document");
    set_str(&op.action, "create");
    set_str(&op.protocol, "http");
    set_str(&op.user, "-1");

    len = kz_wire_op_len(&op);
    buf = malloc(len);
    (void) kz_wire_op_write(buf, &op);

    if (send(w->fd, buf, len, MSG_NOSIGNAL) != (ssize_t) len) {
        w->lost = 1;
    }

    free(buf);

    return op.seq;
}


static uint64_t
ask(worker_t *w, int kind, const char *index, const char *collection,
    const char *id, const char *body)
{
    return ask_at(w, 0, 0, kind, 1, index, collection, id, body,
                  kz_writer_ms() + patience);
}


/* Reads what has come; 0: nothing within ms, or the connection is lost. */

static int
worker_read(worker_t *w, int ms)
{
    size_t              pos;
    ssize_t             n;
    struct pollfd       pfd;
    kz_wire_frame_t     f;
    kz_wire_result_t    r;
    kz_wire_leaving_t   l;

    pfd.fd = w->fd;
    pfd.events = POLLIN;

    if (poll(&pfd, 1, ms) <= 0) {
        return 0;
    }

    n = recv(w->fd, w->in + w->in_len, (1 << 22) - w->in_len, 0);

    if (n <= 0) {
        w->lost = 1;
        return 0;
    }

    w->in_len += n;
    pos = 0;

    while (kz_wire_frame(w->in + pos, w->in_len - pos, &f) == NGX_OK) {

        if (f.type == KZ_WIRE_RESULT
            && kz_wire_result_read(&r, f.payload, f.len) == NGX_OK
            && r.seq <= w->seq && !w->got[r.seq])
        {
            w->memory[r.seq] = kz_shim_copy(f.payload, f.len);
            (void) kz_wire_result_read(&w->results[r.seq],
                                       w->memory[r.seq], f.len);
            w->got[r.seq] = 1;

        } else if (f.type == KZ_WIRE_LEAVING
                   && kz_wire_leaving_read(&l, f.payload, f.len) == NGX_OK)
        {
            w->leaving = l.last;
        }

        pos += f.total;
    }

    memmove(w->in, w->in + pos, w->in_len - pos);
    w->in_len -= pos;

    return 1;
}


static kz_wire_result_t *
answer(worker_t *w, uint64_t seq)
{
    static kz_wire_result_t  none = { .status = 999 };

    while (!w->got[seq] && worker_read(w, 8000)) { /* void */ }

    return w->got[seq] ? &w->results[seq] : &none;
}


static kz_wire_result_t *
do_op(worker_t *w, int kind, const char *index, const char *collection,
    const char *id, const char *body)
{
    return answer(w, ask(w, kind, index, collection, id, body));
}


/* The files. */

static void
file_path(char *path, const char *index)
{
    sqlite3       *db;
    sqlite3_stmt  *stmt;

    snprintf(path, 128, "%s/kuzzle.db", dir);

    sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
    sqlite3_busy_timeout(db, 2000);
    sqlite3_prepare_v2(db, "SELECT file FROM idx WHERE name = ?1", -1, &stmt,
                       NULL);
    sqlite3_bind_text(stmt, 1, index, -1, SQLITE_STATIC);

    *path = '\0';

    if (sqlite3_step(stmt) == SQLITE_ROW) {
        snprintf(path, 128, "%s/i%lld.db", dir,
                 sqlite3_column_int64(stmt, 0));
    }

    sqlite3_finalize(stmt);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db);
}


static long long
query(const char *index, const char *sql)
{
    char           path[128];
    long long      n;
    sqlite3       *db;
    sqlite3_stmt  *stmt;

    file_path(path, index);

    n = -1;

    if (*path && sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL)
                 == SQLITE_OK)
    {
        sqlite3_busy_timeout(db, 2000);
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);

        if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK
            && sqlite3_step(stmt) == SQLITE_ROW)
        {
            n = sqlite3_column_int64(stmt, 0);
        }

        sqlite3_finalize(stmt);
        sqlite3_close(db);
    }

    return n;
}


static void
clean(void)
{
    DIR            *d;
    char            path[400];
    struct dirent  *de;

    d = opendir(dir);

    while (d && (de = readdir(d)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
        unlink(path);
    }

    if (d) {
        closedir(d);
    }
}


static void
driver_begin(void)
{
    snprintf(dir, sizeof(dir), "/tmp/kz_writer.XXXXXX");

    if (mkdtemp(dir) == NULL) {
        printf("Bail out! no directory\n");
        exit(1);
    }

    shared = mmap(NULL, sizeof(shared_t), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    signal(SIGPIPE, SIG_IGN);
}


static void
driver_end(void)
{
    clean();
    rmdir(dir);
}


#endif /* _KZ_WRITER_DRIVER_H_INCLUDED_ */
