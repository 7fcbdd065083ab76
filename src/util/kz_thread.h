#ifndef _KZ_THREAD_H_INCLUDED_
#define _KZ_THREAD_H_INCLUDED_

/*
 * A small named pool of threads for work that may block, one per process.
 * nginx's own pools cannot be created by a module under a name the user did
 * not write into nginx.conf, hence this one.
 *
 * A job gets bytes and plain structs it owns: no pool, no request, no log of
 * a connection.  run() is called on a thread, done() later by the event loop.
 */

#include <ngx_config.h>
#include <ngx_core.h>


typedef struct kz_job_s  kz_job_t;

typedef void (*kz_job_pt)(kz_job_t *job);


struct kz_job_s {
    kz_job_pt    run_thread;
    kz_job_pt    done;
    void        *data;
    kz_job_t    *next;        /* the pool's */
};


typedef struct kz_threads_s  kz_threads_t;


/*
 * Starts n threads named name; notify() is called on a thread, whenever a
 * job is done and none was waiting to be collected.  NULL: no memory or no
 * thread.  All signals are blocked in the threads.
 */
kz_threads_t *kz_threads_create(ngx_uint_t n, ngx_uint_t max_queue,
    const char *name, void (*notify)(void *data), void *data, ngx_log_t *log);

/* NGX_OK, or NGX_DECLINED when the queue is full. */
ngx_int_t kz_threads_post(kz_threads_t *tp, kz_job_t *job);

/* The same, ahead of all that wait. */
ngx_int_t kz_threads_post_first(kz_threads_t *tp, kz_job_t *job);

/*
 * The nice value of the threads, from their next job on; more than the
 * process has, or nothing changes.
 */
void kz_threads_nice(kz_threads_t *tp, int nice);

/* Event loop: calls done() of every finished job. */
void kz_threads_collect(kz_threads_t *tp);

/*
 * Waits for the running jobs, drops the queued ones.  done() is not called
 * any more, neither for those nor for what was finished and not collected.
 */
void kz_threads_destroy(kz_threads_t *tp);


#endif /* _KZ_THREAD_H_INCLUDED_ */
