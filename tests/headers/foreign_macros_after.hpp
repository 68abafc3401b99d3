// Behind every umbrella header: the program's macros are as they were.
#if min(7, 3) != 3 || max(7, 3) != 7
#  error "ebb left min or max in another state"
#endif
#if None != 0L || True != 1 || ERROR != 0 || DELETE != 65536
#  error "ebb left a macro of X11 or Windows in another state"
#endif
#ifndef I
#  error "ebb undefined I"
#endif
#undef I
#ifndef min
#  error "ebb undefined min"
#endif
#undef min
#ifndef max
#  error "ebb undefined max"
#endif
#undef max
#ifndef near
#  error "ebb undefined near"
#endif
#undef near
#ifndef far
#  error "ebb undefined far"
#endif
#undef far
#ifndef small
#  error "ebb undefined small"
#endif
#undef small
#ifndef interface
#  error "ebb undefined interface"
#endif
#undef interface
#ifndef DELETE
#  error "ebb undefined DELETE"
#endif
#undef DELETE
#ifndef ERROR
#  error "ebb undefined ERROR"
#endif
#undef ERROR
#ifndef None
#  error "ebb undefined None"
#endif
#undef None
#ifndef Bool
#  error "ebb undefined Bool"
#endif
#undef Bool
#ifndef Status
#  error "ebb undefined Status"
#endif
#undef Status
#ifndef True
#  error "ebb undefined True"
#endif
#undef True
#ifndef False
#  error "ebb undefined False"
#endif
#undef False
#ifndef Success
#  error "ebb undefined Success"
#endif
#undef Success
#ifndef check
#  error "ebb undefined check"
#endif
#undef check
#ifndef verify
#  error "ebb undefined verify"
#endif
#undef verify
#ifndef require
#  error "ebb undefined require"
#endif
#undef require
#ifndef slots
#  error "ebb undefined slots"
#endif
#undef slots
#ifndef signals
#  error "ebb undefined signals"
#endif
#undef signals
#ifndef emit
#  error "ebb undefined emit"
#endif
#undef emit
#ifndef foreach
#  error "ebb undefined foreach"
#endif
#undef foreach
