// What every program does around its work: signals, files it will write, errors.
#pragma once

#include <string>

// The first Ctrl-C ends the run after the step it is in; a second one ends it at once.
void catch_interrupts();
bool interrupted();

// Throws ebb::FileError when `file`, the value of `option`, could not be written: better now than
// after an hour of training. An empty name asks for nothing.
void require_writable(const char* option, const std::string& file);

// Makes a folder for the files of `option`. Throws ebb::FileError.
void make_folder(const char* option, const std::string& folder);

std::string percent(double share);  // "98.55 %"

// Runs `work` (which returns the exit code) and turns exceptions into a sentence and the code 1.
int run_program(const char* program, int (*work)(int, char**), int argc, char** argv);
