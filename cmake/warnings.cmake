option(NNEXT_DEVELOPER "Treat compiler warnings as errors" OFF)

function(nnext_set_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wno-psabi
                                           $<$<BOOL:${NNEXT_DEVELOPER}>:-Werror>)
endfunction()
