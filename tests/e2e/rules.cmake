# Rules beside the mood, over recorded calls and a live one; the summary of a call.
if(TARGET undertone AND Python3_EXECUTABLE)
    add_test(NAME e2e.rules
             COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/test_rules.py
                     $<TARGET_FILE:undertone>)
    set_tests_properties(e2e.rules PROPERTIES TIMEOUT 300)
endif()

if(TARGET undertone AND TARGET undertone-sim AND Python3_EXECUTABLE)
    foreach(name rules_live summary)
        add_test(NAME e2e.${name}
                 COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/test_${name}.py
                         $<TARGET_FILE:undertone> $<TARGET_FILE:undertone-sim>)
        set_tests_properties(e2e.${name} PROPERTIES TIMEOUT 300 LABELS live)
    endforeach()
endif()
