
/*
 * What the kernel alone costs on this machine.
 *
 * kzload floor: a bare loop that writes frames to sockets, --frames of them
 * per writev(), the way a perfect fan-out would; a second thread reads them.
 * The CPU time is that of the writing thread only: it stands where the
 * server's stands in ws-fanout.
 *
 * kzload fdatasync: appends of 4 KiB, each followed by fdatasync(): what a
 * durable write waits for at the very least.
 */


#include "kzload.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/uio.h>


#define KZ_FLOOR_BUF   65536
#define KZ_SYNC_SIZE   4096


typedef struct {
    int         *in;                      /* the writing ends */
    int         *out;
    int          n;
    int          ep;
    uint64_t     bytes;                   /* read so far */
    int          stop;
} kz_floor_t;


static void kz_floor_sockets(kz_floor_t *f);
static void *kz_floor_reader(void *data);
static uint64_t kz_floor_round(kz_floor_t *f, struct iovec *iov, int frames,
    size_t size);
static void kz_floor_rest(int fd, struct iovec *iov, size_t size);
static int kz_floor_print(kz_opt_t *opt, kz_meter_t *m, uint64_t frames,
    uint64_t cpu);


int
kz_load_floor(kz_opt_t *opt)
{
    int            i;
    char          *frame;
    uint64_t       frames, cpu, end, begin;
    pthread_t      tid;
    kz_floor_t     f;
    kz_meter_t     meter;
    struct iovec  *iov;

    if (opt->frames > IOV_MAX) {
        kz_net_die("at most %d frames per writev", IOV_MAX);
    }

    memset(&f, 0, sizeof(f));
    f.n = opt->subscribers;

    kz_net_need_files(2 * f.n);
    kz_floor_sockets(&f);

    frame = kz_net_alloc((size_t) opt->size);
    iov = kz_net_alloc((size_t) opt->frames * sizeof(struct iovec));

    for (i = 0; i < opt->frames; i++) {
        iov[i].iov_base = frame;
        iov[i].iov_len = (size_t) opt->size;
    }

    if (pthread_create(&tid, NULL, kz_floor_reader, &f) != 0) {
        kz_net_die("pthread_create failed");
    }

    opt->npids = 0;
    frames = 0;
    kz_meter_start(&meter, opt);
    cpu = kz_clock_thread_cpu();

    begin = meter.start + (uint64_t) (opt->warmup * KZ_SEC);
    end = begin + (uint64_t) (opt->duration * KZ_SEC);

    while (kz_clock() < end) {
        frames += kz_floor_round(&f, iov, opt->frames, (size_t) opt->size);

        if (begin != 0 && kz_clock() >= begin) {
            frames = 0;
            kz_meter_start(&meter, opt);
            cpu = kz_clock_thread_cpu();
            begin = 0;
        }
    }

    cpu = kz_clock_thread_cpu() - cpu;
    kz_meter_stop(&meter, opt);

    __atomic_store_n(&f.stop, 1, __ATOMIC_RELAXED);
    pthread_join(tid, NULL);

    return kz_floor_print(opt, &meter, frames, cpu);
}


static int
kz_floor_print(kz_opt_t *opt, kz_meter_t *m, uint64_t frames, uint64_t cpu)
{
    kz_field_t  fields[3];

    memset(fields, 0, sizeof(fields));

    fields[0].name = "writer_cpu";
    fields[0].value = m->elapsed ? (double) cpu / m->elapsed : 0;
    fields[1].name = "writer_cpu_us_per_op";
    fields[1].value = frames ? (double) cpu / frames / 1000 : 0;

    kz_report(opt, "floor", m, frames, NULL, fields);

    return (frames != 0) ? 0 : 1;
}


/* one batch of frames to every socket, returns the number of frames */

static uint64_t
kz_floor_round(kz_floor_t *f, struct iovec *iov, int frames, size_t size)
{
    int      i;
    size_t   len;
    ssize_t  n;

    len = (size_t) frames * size;

    for (i = 0; i < f->n; i++) {
        n = writev(f->in[i], iov, frames);

        if (n == (ssize_t) len) {
            continue;
        }

        if (n == -1 && errno != EAGAIN) {
            kz_net_die("writev: %s", strerror(errno));
        }

        /* the reader is behind: wait for it with the rest of the batch */

        kz_floor_rest(f->in[i], iov, (n > 0) ? len - (size_t) n : len);
    }

    return (uint64_t) f->n * (uint64_t) frames;
}


/* sends size more bytes; what is in them does not matter */

static void
kz_floor_rest(int fd, struct iovec *iov, size_t size)
{
    size_t         len;
    ssize_t        rc;
    struct pollfd  pfd;

    while (size > 0) {
        pfd.fd = fd;
        pfd.events = POLLOUT;

        if (poll(&pfd, 1, 2000) <= 0) {
            kz_net_die("the reader does not read");
        }

        len = (size < iov->iov_len) ? size : iov->iov_len;

        rc = write(fd, iov->iov_base, len);

        if (rc > 0) {
            size -= (size_t) rc;

        } else if (rc == -1 && errno != EAGAIN) {
            kz_net_die("write: %s", strerror(errno));
        }
    }
}


static void
kz_floor_sockets(kz_floor_t *f)
{
    int                 i, lfd, on;
    socklen_t           len;
    struct sockaddr_in  sin;

    f->in = kz_net_alloc((size_t) f->n * sizeof(int));
    f->out = kz_net_alloc((size_t) f->n * sizeof(int));
    f->ep = epoll_create1(EPOLL_CLOEXEC);

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    len = sizeof(sin);

    lfd = socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0);

    if (lfd == -1 || bind(lfd, (struct sockaddr *) &sin, len) != 0
        || listen(lfd, 16) != 0
        || getsockname(lfd, (struct sockaddr *) &sin, &len) != 0)
    {
        kz_net_die("cannot listen: %s", strerror(errno));
    }

    on = 1;

    for (i = 0; i < f->n; i++) {
        f->out[i] = socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0);

        if (f->out[i] == -1
            || connect(f->out[i], (struct sockaddr *) &sin, len) != 0)
        {
            kz_net_die("connect: %s", strerror(errno));
        }

        f->in[i] = accept4(lfd, NULL, NULL, SOCK_CLOEXEC|SOCK_NONBLOCK);
        if (f->in[i] == -1) {
            kz_net_die("accept: %s", strerror(errno));
        }

        setsockopt(f->in[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

        kz_net_nonblocking(f->out[i]);
        kz_net_epoll(f->ep, EPOLL_CTL_ADD, f->out[i], EPOLLIN, &f->out[i]);
    }

    close(lfd);
}


static void *
kz_floor_reader(void *data)
{
    int                  i, n;
    char                *buf;
    ssize_t              rc;
    kz_floor_t          *f = data;
    struct epoll_event   events[KZ_MAX_EVENTS];

    buf = kz_net_alloc(KZ_FLOOR_BUF);

    while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED)) {
        n = epoll_wait(f->ep, events, KZ_MAX_EVENTS, 20);

        for (i = 0; i < n; i++) {
            rc = recv(*(int *) events[i].data.ptr, buf, KZ_FLOOR_BUF, 0);

            if (rc > 0) {
                f->bytes += (uint64_t) rc;
            }
        }
    }

    free(buf);

    return NULL;
}


int
kz_load_fdatasync(kz_opt_t *opt)
{
    int          fd;
    char        *block, name[PATH_MAX];
    uint64_t     ops, begin, end, now, count;
    kz_hist_t   *h;
    kz_meter_t   meter;
    kz_field_t   fields[1];

    memset(fields, 0, sizeof(fields));

    h = kz_net_alloc(sizeof(kz_hist_t));
    block = kz_net_alloc(KZ_SYNC_SIZE);

    snprintf(name, sizeof(name), "%s/kzload.sync.XXXXXX", opt->dir);

    fd = mkstemp(name);
    if (fd == -1) {
        kz_net_die("%s: %s", name, strerror(errno));
    }

    /* open, but without a name: nothing is left behind whatever happens */

    unlink(name);

    /* 64 MiB at most unless the caller says more */

    count = opt->count ? opt->count : 16384;
    ops = 0;

    kz_meter_start(&meter, opt);
    end = meter.start + (uint64_t) (opt->duration * KZ_SEC);

    do {
        begin = kz_clock();

        if (write(fd, block, KZ_SYNC_SIZE) != KZ_SYNC_SIZE
            || fdatasync(fd) != 0)
        {
            kz_net_die("%s: %s", name, strerror(errno));
        }

        now = kz_clock();
        kz_hist_add(h, now - begin);
    } while (++ops < count && now < end);

    kz_meter_stop(&meter, opt);
    close(fd);

    kz_report(opt, "fdatasync", &meter, ops, h, fields);

    return 0;
}
