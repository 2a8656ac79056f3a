# undertone-simulate: the daemon, linked against a simulated loop, clock, network, scorer, store and log
# (the replaced_*.c here) instead of the real ones. What it defines is never fetched from the rooms.
file(GLOB simulation_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/simulation/*.c)
add_executable(undertone-simulate ${simulation_sources})
target_link_libraries(undertone-simulate PRIVATE ut_app ut::sodium)

# More seeds by command, and what a failed one asks for: docs/SIMULATION.md.
set(simulation_seeds 1..300)
if(UNDERTONE_SANITIZE OR UNDERTONE_TSAN)
    set(simulation_seeds 1..60)
endif()
add_test(NAME simulation.seeds COMMAND undertone-simulate --seeds ${simulation_seeds} --jobs 2)
set_tests_properties(simulation.seeds PROPERTIES TIMEOUT 600 PROCESSORS 2)

# The quick ones of the scenarios; `undertone-simulate --scenario list` names all.
if(NOT UNDERTONE_SANITIZE AND NOT UNDERTONE_TSAN)
    foreach(scenario outage token ended quota-stop)
        add_test(NAME simulation.${scenario} COMMAND undertone-simulate --scenario ${scenario})
        set_tests_properties(simulation.${scenario} PROPERTIES TIMEOUT 300)
    endforeach()
endif()
