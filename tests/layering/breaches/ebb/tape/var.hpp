// What a kernel must not see.
