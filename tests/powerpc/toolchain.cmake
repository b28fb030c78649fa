# 32 bits and big-endian in one: the tests of src/ on an emulated PowerPC, statically linked.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ppc)
set(CMAKE_C_COMPILER powerpc-linux-gnu-gcc)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-ppc)
set(ADDER_CORE_ONLY ON CACHE BOOL "")
