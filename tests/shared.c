/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static void base_path(char *out, size_t cap)
{
	const char *data = getenv("GATEHOUSE_SHARED"), *root = getenv("GATEHOUSE_SOURCE_ROOT");

	if (data)
		(void)snprintf(out, cap, "%s", data);
	else
		(void)snprintf(out, cap, "%s/../shared", root ? root : ".");
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void read_file(const char *path, struct shared_file *file)
{
	FILE *f = fopen(path, "rb");

	file->text = malloc(1 << 20);
	if (f && file->text)
		file->len = fread(file->text, 1, 1 << 20, f);
	if (f)
		(void)fclose(f); /* only read */
}

size_t shared_folder(const char *folder, struct shared_file **ret)
{
	char base[512], path[1024];
	struct dirent **names = NULL;
	int count;

	base_path(base, sizeof(base));
	(void)snprintf(path, sizeof(path), "%s/%s", base, folder);
	count = scandir(path, &names, visible, alphasort);
	if (count <= 0) {
		printf("no %s: the shared data is not here (set GATEHOUSE_SHARED)\n", path);
		return 0;
	}
	*ret = calloc((size_t)count, sizeof(**ret));
	for (int i = 0; i < count; i++) {
		(void)snprintf((*ret)[i].name, sizeof((*ret)[i].name), "%s", names[i]->d_name);
		(void)snprintf(path, sizeof(path), "%s/%s/%s", base, folder, names[i]->d_name);
		read_file(path, &(*ret)[i]);
		free(names[i]);
	}
	free(names);
	return (size_t)count;
}

void shared_free(struct shared_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(files[i].text);
	free(files);
}
