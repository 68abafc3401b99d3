// The one include of a program that trains or predicts.
#include <ebb/ebb.hpp>
