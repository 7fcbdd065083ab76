
/*
 * Clock, latency histogram, CPU time and the report of kzload.
 *
 * The CPU time of a server is read from /proc/PID/task/TID/schedstat (on-CPU
 * nanoseconds, all threads); the kernel brings the figure of a running
 * thread up to date at each tick, so it is good to about 4 ms.  Threads that
 * end between two readings are lost: the servers here keep theirs.
 */


#include "kzload.h"

#include <dirent.h>
#include <fcntl.h>
#include <time.h>


static uint64_t kz_meter_time(clockid_t id);
static uint64_t kz_meter_pid_cpu(pid_t pid);
static uint64_t kz_meter_stat(const char *dir);
static int kz_meter_file(const char *name, char *buf, size_t size);
static void kz_report_number(kz_opt_t *opt, const char *name, double value);


uint64_t
kz_clock(void)
{
    return kz_meter_time(CLOCK_MONOTONIC);
}


uint64_t
kz_clock_thread_cpu(void)
{
    return kz_meter_time(CLOCK_THREAD_CPUTIME_ID);
}


static uint64_t
kz_meter_time(clockid_t id)
{
    struct timespec  ts;

    if (clock_gettime(id, &ts) != 0) {
        kz_net_die("clock_gettime: %s", strerror(errno));
    }

    return (uint64_t) ts.tv_sec * KZ_SEC + ts.tv_nsec;
}


void
kz_hist_add(kz_hist_t *h, uint64_t ns)
{
    unsigned  shift, i;

    h->total++;

    if (ns > h->max) {
        h->max = ns;
    }

    if (ns < KZ_HIST_SUB) {
        h->count[ns]++;
        return;
    }

    /* the six bits below the highest one choose the bucket */

    shift = 63 - __builtin_clzll(ns) - 6;
    i = (shift + 1) * KZ_HIST_SUB + ((ns >> shift) - KZ_HIST_SUB);

    h->count[i < KZ_HIST_BUCKETS ? i : KZ_HIST_BUCKETS - 1]++;
}


double
kz_hist_quantile(kz_hist_t *h, double q)
{
    double    value;
    uint64_t  seen, want;
    unsigned  i, shift;

    if (h->total == 0) {
        return 0;
    }

    seen = 0;
    want = (uint64_t) (q * (h->total - 1)) + 1;

    for (i = 0; i < KZ_HIST_BUCKETS; i++) {
        seen += h->count[i];

        if (seen >= want) {
            break;
        }
    }

    if (i < KZ_HIST_SUB) {
        return i;
    }

    /* the middle of the bucket, but never above what was seen */

    shift = i / KZ_HIST_SUB - 1;
    value = (double) (KZ_HIST_SUB + i % KZ_HIST_SUB) + 0.5;
    value *= (double) (1ULL << shift);

    return (value < (double) h->max) ? value : (double) h->max;
}


void
kz_meter_start(kz_meter_t *m, kz_opt_t *opt)
{
    int  i;

    for (i = 0; i < opt->npids; i++) {
        m->server[i] = kz_meter_pid_cpu(opt->pids[i]);
    }

    m->own = kz_meter_time(CLOCK_PROCESS_CPUTIME_ID);
    m->start = kz_clock();
}


void
kz_meter_stop(kz_meter_t *m, kz_opt_t *opt)
{
    int       i;
    uint64_t  now;

    m->elapsed = kz_clock() - m->start;
    m->own = kz_meter_time(CLOCK_PROCESS_CPUTIME_ID) - m->own;

    for (i = 0; i < opt->npids; i++) {
        now = kz_meter_pid_cpu(opt->pids[i]);

        /* a process that died in between cannot be measured */

        m->server[i] = (now > m->server[i]) ? now - m->server[i] : 0;
    }
}


/* the CPU nanoseconds of all threads of a process, 0 if it is gone */

static uint64_t
kz_meter_pid_cpu(pid_t pid)
{
    DIR            *dir;
    char            name[320], buf[128];
    uint64_t        sum;
    struct dirent  *de;

    snprintf(name, sizeof(name), "/proc/%d/task", (int) pid);

    dir = opendir(name);
    if (dir == NULL) {
        return 0;
    }

    sum = 0;

    for ( ;; ) {
        de = readdir(dir);
        if (de == NULL) {
            break;
        }

        if (de->d_name[0] == '.') {
            continue;
        }

        snprintf(name, sizeof(name), "/proc/%d/task/%s/schedstat",
                 (int) pid, de->d_name);

        if (kz_meter_file(name, buf, sizeof(buf)) == 0) {
            sum += strtoull(buf, NULL, 10);
            continue;
        }

        /* a kernel without CONFIG_SCHED_INFO: 10 ms clock ticks */

        snprintf(name, sizeof(name), "/proc/%d/task/%s", (int) pid,
                 de->d_name);

        sum += kz_meter_stat(name);
    }

    closedir(dir);

    return sum;
}


/* user and system time out of a stat file: fields 14 and 15 (proc(5)) */

static uint64_t
kz_meter_stat(const char *dir)
{
    int                 n;
    char                name[340], buf[1024], *p;
    unsigned long long  utime, stime;

    snprintf(name, sizeof(name), "%s/stat", dir);

    if (kz_meter_file(name, buf, sizeof(buf)) != 0) {
        return 0;
    }

    /* the name in field 2 may hold blanks and brackets: count from its end */

    p = strrchr(buf, ')');
    if (p == NULL) {
        return 0;
    }

    n = sscanf(p + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
               " %llu %llu", &utime, &stime);

    if (n != 2) {
        return 0;
    }

    return (utime + stime) * (KZ_SEC / (uint64_t) sysconf(_SC_CLK_TCK));
}


static int
kz_meter_file(const char *name, char *buf, size_t size)
{
    int      fd;
    ssize_t  n;

    fd = open(name, O_RDONLY|O_CLOEXEC);
    if (fd == -1) {
        return -1;
    }

    n = read(fd, buf, size - 1);

    close(fd);

    if (n <= 0) {
        return -1;
    }

    buf[n] = '\0';

    return 0;
}


void
kz_report(kz_opt_t *opt, const char *cmd, kz_meter_t *m, uint64_t ops,
    kz_hist_t *h, kz_field_t *fields)
{
    int       i;
    char      name[32];
    double    per;
    uint64_t  server;

    per = ops ? (double) ops : 1;
    server = 0;

    for (i = 0; i < opt->npids; i++) {
        server += m->server[i];
    }

    printf(opt->json ? "{\"cmd\":\"%s\"" : "%s\n", cmd);

    kz_report_number(opt, "ops", (double) ops);
    kz_report_number(opt, "elapsed_s", (double) m->elapsed / KZ_SEC);
    kz_report_number(opt, "rate",
                     m->elapsed ? ops * (double) KZ_SEC / m->elapsed : 0);

    if (h != NULL) {
        kz_report_number(opt, "p50_us", kz_hist_quantile(h, 0.50) / 1000);
        kz_report_number(opt, "p90_us", kz_hist_quantile(h, 0.90) / 1000);
        kz_report_number(opt, "p99_us", kz_hist_quantile(h, 0.99) / 1000);
        kz_report_number(opt, "max_us", (double) h->max / 1000);
    }

    if (m->elapsed) {
        kz_report_number(opt, "own_cpu", (double) m->own / m->elapsed);
    }

    if (opt->npids != 0 && m->elapsed) {
        kz_report_number(opt, "server_cpu", (double) server / m->elapsed);
        kz_report_number(opt, "server_cpu_us_per_op", server / per / 1000);

        for (i = 0; i < opt->npids; i++) {
            snprintf(name, sizeof(name), "cpu_us_per_op_%d",
                     (int) opt->pids[i]);
            kz_report_number(opt, name, m->server[i] / per / 1000);
        }
    }

    for (i = 0; fields[i].name != NULL; i++) {
        kz_report_number(opt, fields[i].name, fields[i].value);
    }

    if (opt->json) {
        printf("}\n");
    }
}


static void
kz_report_number(kz_opt_t *opt, const char *name, double value)
{
    /* whole numbers (counts) without a fraction */

    int  digits = (value == (double) (int64_t) value) ? 0 : 3;

    if (opt->json) {
        printf(",\"%s\":%.*f", name, digits, value);

    } else {
        printf("  %-22s %14.*f\n", name, digits, value);
    }
}
