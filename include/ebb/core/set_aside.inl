// Macros of other libraries with the names of things here, or of things in headers that are
// included here: set aside at the top of each umbrella header, and given back at its end by
// give_back.inl, as they were. (A single header of a folder, included for itself, does not; who has
// such macros includes the umbrella.)

// The imaginary unit of <complex.h>
#pragma push_macro("I")
#undef I

// Windows
#pragma push_macro("min")
#undef min
#pragma push_macro("max")
#undef max
#pragma push_macro("near")
#undef near
#pragma push_macro("far")
#undef far
#pragma push_macro("small")
#undef small
#pragma push_macro("interface")
#undef interface
#pragma push_macro("DELETE")
#undef DELETE
#pragma push_macro("ERROR")
#undef ERROR

// X11
#pragma push_macro("None")
#undef None
#pragma push_macro("Bool")
#undef Bool
#pragma push_macro("Status")
#undef Status
#pragma push_macro("True")
#undef True
#pragma push_macro("False")
#undef False
#pragma push_macro("Success")
#undef Success

// Objective-C (AssertMacros.h)
#pragma push_macro("check")
#undef check
#pragma push_macro("verify")
#undef verify
#pragma push_macro("require")
#undef require

// Qt
#pragma push_macro("slots")
#undef slots
#pragma push_macro("signals")
#undef signals
#pragma push_macro("emit")
#undef emit
#pragma push_macro("foreach")
#undef foreach
