/* SPDX-License-Identifier: Apache-2.0 */
#include "mikey/env.h"

int mikey_random(const struct mikey_env *env, void *out, size_t len)
{
	return env->random ? env->random(env->random_arg, out, len) : base_random(out, len);
}

uint64_t mikey_ntp(uint64_t unix_s, uint32_t ns)
{
	return (unix_s + 2208988800U) << 32 | (((uint64_t)ns << 32) / 1000000000U);
}

uint64_t mikey_ntp_seconds(uint32_t s)
{
	return s & 0x80000000U ? s : (uint64_t)s + 0x100000000U;
}
