/* SPDX-License-Identifier: Apache-2.0 */
#include "mgc/metrics.h"

#include "http/http.h"

#define NAME "gatehouse_mgc_"

static void write_all(const struct mgc_focus *focus, const struct mgc_mp *mp, struct base_writer *w)
{
	const struct mgc_focus_counters *f = mgc_focus_counters(focus);
	const struct mgc_mp_counters *m = mgc_mp_counters(mp);

	http_metrics_number(w, NAME "members", "gauge",
	                    "Members there are, those that come and go included",
	                    mgc_focus_members(focus));
	http_metrics_number(w, NAME "mrfps", "gauge", "MRFPs that are registered",
	                    mgc_mp_count(mp));
#define TELL(name, text) http_metrics_number(w, NAME #name "_total", "counter", text, f->name);
	MGC_FOCUS_COUNTERS(TELL)
#undef TELL
#define TELL(name, text)                                                                           \
	http_metrics_number(w, NAME "mp_" #name "_total", "counter", text, m->name);
	MGC_MP_COUNTERS(TELL)
#undef TELL
}

void mgc_metrics_write(void *arg, struct base_writer *w)
{
	const struct mgc_metrics *metrics = arg;

	write_all(metrics->focus, metrics->mp, w);
}
