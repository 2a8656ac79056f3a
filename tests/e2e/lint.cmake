# Checks of the source itself, each within a second. `ctest -L lint` runs them alone.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

function(undertone_lint name)
    add_test(NAME lint.${name}
             COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tools/check_${name}.py ${ARGN})
    set_tests_properties(lint.${name} PROPERTIES LABELS lint TIMEOUT 60)
endfunction()

undertone_lint(rooms)
undertone_lint(style)
undertone_lint(commits)
undertone_lint(symbols ${CMAKE_BINARY_DIR})
