# The instruction sets the kernels are compiled for, best first, each written once.
# nnext_add_isa(<name> CPU <features that __builtin_cpu_supports must know> FLAGS <compiler flags>)
#
# Every csrc/kernels/*.kernel.cpp is compiled once per instruction set into namespace nnext::kernels::<name>. The list that
# dispatch.cpp walks is generated from these calls.

set(NNEXT_ISA_NAMES "")
set(NNEXT_ISA_DECLARATIONS "")
set(NNEXT_ISA_ENTRIES "")

# Kernels contract multiply and add by explicit fma() only, so that one source gives the same bits on every instruction set.
set(NNEXT_KERNEL_FLAGS -ffp-contract=off -fno-math-errno -fno-trapping-math -fno-exceptions -fno-rtti -fno-lto
                       -fno-stack-protector -fvisibility=hidden)
if(NOT NNEXT_SANITIZE) # which has its own for all objects
  list(PREPEND NNEXT_KERNEL_FLAGS -O3)
endif()

# One object library of kernels in namespace nnext::kernels::<name>, with the vectors of instruction set `vectors`.
function(nnext_add_kernels name vectors)
  cmake_parse_arguments(ARG "" "" "SOURCES;FLAGS" ${ARGN})
  add_library(nnext_kernels_${name} OBJECT ${ARG_SOURCES})
  target_include_directories(nnext_kernels_${name} PRIVATE ${PROJECT_SOURCE_DIR}/csrc)
  target_compile_features(nnext_kernels_${name} PRIVATE cxx_std_20)
  target_compile_definitions(nnext_kernels_${name} PRIVATE NNEXT_ISA=${name} NNEXT_ISA_${vectors})
  target_compile_options(nnext_kernels_${name} PRIVATE ${NNEXT_KERNEL_FLAGS} ${ARG_FLAGS})
  nnext_set_warnings(nnext_kernels_${name})
  set_target_properties(nnext_kernels_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()

# At -O3 each loop of a loss is compiled once more for each question in it, 190 KB. Without that the binary cross-entropies
# are 15% faster, the others up to 12% slower, of 2% of a step.
if(NOT NNEXT_SANITIZE)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/csrc/kernels/loss.kernel.cpp PROPERTIES COMPILE_OPTIONS -O2)
endif()

function(nnext_add_isa name)
  cmake_parse_arguments(ARG "" "" "CPU;FLAGS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/csrc/kernels/*.kernel.cpp)
  nnext_add_kernels(${name} ${name} SOURCES ${sources} FLAGS ${ARG_FLAGS})

  set(condition "true")
  foreach(feature IN LISTS ARG_CPU)
    string(APPEND condition " && __builtin_cpu_supports(\"${feature}\")")
  endforeach()
  set(NNEXT_ISA_NAMES ${NNEXT_ISA_NAMES} ${name} PARENT_SCOPE)
  set(NNEXT_ISA_DECLARATIONS
      "${NNEXT_ISA_DECLARATIONS}namespace ${name} {\nextern const Tables tables;\n}\n" PARENT_SCOPE)
  set(NNEXT_ISA_ENTRIES
      "${NNEXT_ISA_ENTRIES}    {\"${name}\", [] { return ${condition}; }, &${name}::tables},\n" PARENT_SCOPE)
endfunction()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(NNEXT_AVX512_FLAGS -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mprefer-vector-width=512)
  nnext_add_isa(avx512 CPU avx512f avx512bw avx512dq avx512vl fma FLAGS ${NNEXT_AVX512_FLAGS})
  nnext_add_isa(avx2 CPU avx2 fma FLAGS -mavx2 -mfma)
  # Products in bf16 beside avx512, each by other instructions; csrc/kernels/bf16/dispatch.cpp asks the CPU.
  set(NNEXT_BF16_NAMES amx avx512bf16)
  nnext_add_kernels(amx avx512 SOURCES ${PROJECT_SOURCE_DIR}/csrc/kernels/bf16/amx.kernel.cpp
                    FLAGS ${NNEXT_AVX512_FLAGS} -mavx512bf16 -mamx-tile -mamx-bf16)
  nnext_add_kernels(avx512bf16 avx512 SOURCES ${PROJECT_SOURCE_DIR}/csrc/kernels/bf16/avx512bf16.kernel.cpp
                    FLAGS ${NNEXT_AVX512_FLAGS} -mavx512bf16)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  nnext_add_isa(neon) # part of every aarch64 CPU
endif()
nnext_add_isa(baseline)

configure_file(${PROJECT_SOURCE_DIR}/cmake/isa_list.cpp.in ${PROJECT_BINARY_DIR}/generated/isa_list.cpp @ONLY)
