#ifndef _KZ_YAML_H_INCLUDED_
#define _KZ_YAML_H_INCLUDED_

/*
 * JSON as YAML 1.2 in block style.  Pure.
 *
 * Strings stay as JSON wrote them: a JSON string is a YAML string in double
 * quotes.  Keys lose their quotes where that leaves their meaning alone, in
 * YAML 1.1 as well (a bare "on" is a boolean there).
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "util/kz_json_scan.h"
#include "util/kz_out.h"


/*
 * Appends the value, an object or array, with a line feed at its end.  It
 * was validated; its depth is the depth of the recursion.
 */
void kz_yaml(kz_out_t *o, const kz_json_val_t *v);


#endif /* _KZ_YAML_H_INCLUDED_ */
