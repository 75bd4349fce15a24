/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A PKCS#11 module that is another one (environment GATEHOUSE_TEST_MODULE) until it has signed
 * GATEHOUSE_TEST_SIGNS times: from then on its token has been pulled out. For test_token.py.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include <p11-kit/pkcs11.h>

static CK_FUNCTION_LIST real, own;
static CK_RV on_sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG len, CK_BYTE_PTR out,
                     CK_ULONG_PTR out_len)
{
	long signs = strtol(getenv("GATEHOUSE_TEST_SIGNS"), NULL, 10);
	char left[32];

	if (signs <= 0)
		return CKR_DEVICE_REMOVED;
	/* here it outlives the module, which is unloaded with the last key */
	(void)snprintf(left, sizeof(left), "%ld", signs - 1);
	(void)setenv("GATEHOUSE_TEST_SIGNS", left, 1);
	return real.C_Sign(session, data, len, out, out_len);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ret)
{
	CK_RV (*get)(CK_FUNCTION_LIST_PTR_PTR);
	CK_FUNCTION_LIST *list;
	void *module = dlopen(getenv("GATEHOUSE_TEST_MODULE"), RTLD_NOW);
	CK_RV rv;

	*(void **)&get = module ? dlsym(module, "C_GetFunctionList") : NULL;
	rv = get ? get(&list) : CKR_GENERAL_ERROR;
	if (rv != CKR_OK)
		return rv;
	real = own = *list;
	own.C_Sign = on_sign;
	*ret = &own;
	return CKR_OK;
}
