// What a program may have defined before it includes ebb.
#define I _Complex_I
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define near
#define far
#define small char
#define interface struct
#define DELETE 0x00010000L
#define ERROR 0
#define None 0L
#define Bool int
#define Status int
#define True 1
#define False 0
#define Success 0
#define check(condition) wrong condition
#define verify(condition) wrong condition
#define require(condition, label) wrong condition
#define slots
#define signals public
#define emit
#define foreach wrong
