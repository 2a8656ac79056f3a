# The ledger checker is a judge of every live run: it is tested by itself first.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

foreach(name check_ledger check_lint)
    add_test(NAME e2e.${name}
             COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/test_${name}.py)
    set_tests_properties(e2e.${name} PROPERTIES TIMEOUT 60)
endforeach()
