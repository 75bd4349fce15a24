/* SPDX-License-Identifier: Apache-2.0 */
/** @file Which changes of the file a running controller can take. */
#ifndef GH_MGC_RELOAD_H
#define GH_MGC_RELOAD_H

#include "mgc/config.h"

/** The key whose change needs a restart; NULL = none. */
const char *mgc_reload_obstacle(const struct mgc_config *now, const struct mgc_config *fresh);
/** What must outlive `now` goes to `fresh`: which messages of MIKEY have been seen. */
void mgc_reload_inherit(struct mgc_config *fresh, struct mgc_config *now);
/** Does nobody but the configuration itself stand on its TLS domains? */
bool mgc_reload_idle(const struct mgc_config *config);

#endif
