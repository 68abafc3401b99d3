// What every program does around its work: signals, errors.
#pragma once

#include <string>

// The first Ctrl-C ends the run after the step it is in; a second one ends it at once.
void catch_interrupts();
bool interrupted();

std::string percent(double share);  // "98.55 %"

// Runs `work` (which returns the exit code) and turns exceptions into a sentence and the code 1; so
// it does with a standard output that did not take all that was written to it.
int run_program(const char* program, int (*work)(int, char**), int argc, char** argv);
