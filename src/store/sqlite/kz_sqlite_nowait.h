#ifndef _KZ_SQLITE_NOWAIT_H_INCLUDED_
#define _KZ_SQLITE_NOWAIT_H_INCLUDED_

/*
 * SQLite reads that do not wait for a disk.
 *
 *     kz_sqlite_nowait_begin();
 *     rc = sqlite3_step(stmt);           (SQLITE_IOERR_*: do it elsewhere)
 *     kz_sqlite_nowait_end();
 *
 * Between the two, on this thread, a page that is not in the kernel's memory
 * makes the read fail instead of sleeping.  Other threads are not concerned.
 * Works by replacing the read calls of SQLite's unix VFS, in every process
 * that calls kz_sqlite_nowait_init(), before any file is opened.
 */

#include <ngx_config.h>
#include <ngx_core.h>


/* NGX_ERROR: this SQLite cannot be made to; begin/end then do nothing. */
ngx_int_t kz_sqlite_nowait_init(void);

/* Whether it worked: otherwise every read has to go to the pool. */
ngx_uint_t kz_sqlite_nowait_works(void);

void kz_sqlite_nowait_begin(void);

/* Returns how many reads were refused since begin. */
ngx_uint_t kz_sqlite_nowait_end(void);


#endif /* _KZ_SQLITE_NOWAIT_H_INCLUDED_ */
