
/*
 * What the files of the store take, counted by a thread and kept for a
 * while: the directory may have a file per index.  Who asks meanwhile waits
 * for the same count.
 */

#include "store/sqlite/kz_sqlite_reader_run.h"

#include <dirent.h>
#include <sys/stat.h>


#define KZ_READER_SPACE_AGE  5000     /* ms */


static ngx_int_t kz_reader_space_wait(kz_store_op_t *op);
static void kz_reader_space_thread(kz_job_t *j);
static void kz_reader_space_done(kz_job_t *j);


typedef struct {
    uint64_t     bytes;
    ngx_msec_t   when;
    ngx_queue_t  waiting;        /* of kz_park_t */
    unsigned     known:1;
    unsigned     running:1;
} kz_reader_space_t;

static kz_reader_space_t  kz_space;


ngx_int_t
kz_reader_space(kz_store_op_t *op)
{
    kz_rjob_t   *job;
    ngx_msec_t   age;

    age = ngx_current_msec - kz_space.when;

    if (kz_space.known && age < KZ_READER_SPACE_AGE) {
        op->total = kz_space.bytes;
        return NGX_OK;
    }

    if (kz_space.running) {
        return kz_reader_space_wait(op);
    }

    job = kz_reader_job(KZ_RJOB_SPACE, NULL, kz_reader_space_thread,
                        kz_reader_space_done);
    if (job == NULL) {
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    ngx_queue_init(&kz_space.waiting);

    if (kz_reader_space_wait(op) != NGX_AGAIN) {
        kz_reader_job_free(job);
        return NGX_OK;
    }

    if (kz_reader_post(job) != NGX_OK) {
        return kz_reader_status(op, KZ_STORE_BUSY, NULL, 0);
    }

    kz_space.running = 1;

    return NGX_AGAIN;
}


static ngx_int_t
kz_reader_space_wait(kz_store_op_t *op)
{
    kz_park_t  *park;

    if (kz_reader.pending >= kz_conf->store_pending) {
        return kz_reader_status(op, KZ_STORE_BUSY, NULL, 0);
    }

    park = kz_reader_park(op);
    if (park == NULL) {
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    ngx_queue_insert_tail(&kz_space.waiting, &park->queue);
    park->queued = 1;

    return NGX_AGAIN;
}


static void
kz_reader_space_thread(kz_job_t *j)
{
    DIR            *dir;
    kz_rjob_t      *job = j->data;
    struct stat     st;
    struct dirent  *entry;

    dir = opendir((char *) kz_conf->data.data);
    if (dir == NULL) {
        return;
    }

    while ((entry = readdir(dir)) != NULL) {

        /* a file may go while it is looked for */

        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW)
            == 0
            && S_ISREG(st.st_mode))
        {
            job->space += (uint64_t) st.st_blocks * 512;
        }
    }

    (void) closedir(dir);

    job->rc = NGX_OK;
}


static void
kz_reader_space_done(kz_job_t *j)
{
    kz_park_t    *park;
    kz_rjob_t    *job = j->data;
    ngx_queue_t   waiting;

    kz_space.running = 0;

    if (job->rc == NGX_OK) {
        kz_space.bytes = job->space;
        kz_space.when = ngx_current_msec;
        kz_space.known = 1;
    }

    /* who is answered may ask again at once */

    ngx_queue_init(&waiting);

    if (!ngx_queue_empty(&kz_space.waiting)) {
        ngx_queue_add(&waiting, &kz_space.waiting);
        ngx_queue_init(&kz_space.waiting);
    }

    while (!ngx_queue_empty(&waiting)) {
        park = ngx_queue_data(ngx_queue_head(&waiting), kz_park_t, queue);

        park->op->total = job->space;

        if (job->rc != NGX_OK) {
            (void) kz_reader_status(park->op, KZ_STORE_FAILED,
                                    "the data directory cannot be read", 33);
        }

        kz_reader_finish(park);
    }

    kz_reader_job_free(job);
}
