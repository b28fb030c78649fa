# Bare-metal Cortex-M with newlib. ADDER_CPU picks the core; a core with a machine in QEMU also builds
# the tests of src/ and runs them there: ctest puts the emulator before each of them.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ADDER_CPU)

set(CMAKE_C_FLAGS_INIT "-mcpu=${ADDER_CPU} -mthumb -ffunction-sections -fdata-sections -fcallgraph-info=su")
set(CMAKE_BUILD_TYPE MinSizeRel CACHE STRING "")

set(machine_cortex-m3 mps2-an385)
set(machine_cortex-m4 mps2-an386)
set(ADDER_MACHINE "${machine_${ADDER_CPU}}")
if(ADDER_MACHINE)
  set(CMAKE_CROSSCOMPILING_EMULATOR
      "qemu-system-arm;-M;${ADDER_MACHINE};-nographic;-monitor;none;-semihosting;-kernel")
endif()

set(ADDER_CORE_ONLY ON CACHE BOOL "")
set(ADDER_BARE_METAL ON)
