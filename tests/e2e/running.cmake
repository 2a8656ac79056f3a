# What can be done to a running undertone.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

if(TARGET undertone AND TARGET undertone-sim)
    foreach(name running heard)
        add_test(NAME e2e.${name}
                 COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/test_${name}.py
                         $<TARGET_FILE:undertone> $<TARGET_FILE:undertone-sim>)
        set_tests_properties(e2e.${name} PROPERTIES TIMEOUT 300 LABELS live)
    endforeach()
endif()
