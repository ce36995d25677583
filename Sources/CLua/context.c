#include "CLua.h"
typedef int mt_placeholder;
