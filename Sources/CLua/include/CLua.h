#ifndef MT_LUA_H
#define MT_LUA_H
#endif
