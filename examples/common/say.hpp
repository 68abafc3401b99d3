// What a program tells a person.
#pragma once

// A line of how things go, as printf takes it: to standard output, to standard error where
// standard output is taken by a table or a picture (`-`), nowhere with --quiet.
[[gnu::format(printf, 1, 2)]] void say(const char* format, ...);

// What the program was asked for: said with --quiet, too.
[[gnu::format(printf, 1, 2)]] void say_result(const char* format, ...);

// What a person should know before they believe the result: to standard error, always.
[[gnu::format(printf, 1, 2)]] void say_warning(const char* format, ...);

void be_quiet();
bool quiet();

// From now on words go to standard error.
void give_standard_output_away();

// Throws ebb::FileError when something that was written to standard output did not get there.
void flush_standard_output();
