# Toolchain file of the presets for other architectures: Debian's cross compiler with the host's headers, and the archives
# of scripts/setup --arch. PONS_ARCH is Debian's name of the architecture.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PONS_ARCH)
set(CMAKE_SYSTEM_NAME Linux)
string(REPLACE arm64 aarch64 CMAKE_SYSTEM_PROCESSOR "${PONS_ARCH}")
set(CMAKE_CXX_COMPILER ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-${CMAKE_SYSTEM_PROCESSOR}-static)
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${PONS_ARCH})
set(arch_suffix -${PONS_ARCH})
