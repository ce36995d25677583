// Everything that Swift sees of this module.
#include "kernels.h"
#include "decoder.h"
