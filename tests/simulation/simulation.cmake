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
    foreach(scenario outage silence token ended quota quota-stop day many
                     scarce-2 scarce-10 scarce-10-mute scarce-60 call-half call-quarter call-and-client)
        add_test(NAME simulation.${scenario} COMMAND undertone-simulate --scenario ${scenario})
        set_tests_properties(simulation.${scenario} PROPERTIES TIMEOUT 300)
    endforeach()
endif()

# Seeds that once failed, from a campaign of 20,000.
set(simulation_found
    333 860 1460 1953 2377 2627 3483 3931 4371 4388 4758 4848 4956 5429 6125 7196 7240 7596
    7697 8918 9339 9719 10166 10474 10584 11665 12643 13736 13814 13994 14070 14260 15063
    9823 16009 16390 16522 16625 16966 18038 19395 19644 19783 19842 19861)
list(JOIN simulation_found " " simulation_found)
add_test(NAME simulation.found
         COMMAND sh -ec "for seed in ${simulation_found}; do $<TARGET_FILE:undertone-simulate> --seed $seed >/dev/null || { echo undertone-simulate --seed $seed; exit 1; }; done")
set_tests_properties(simulation.found PROPERTIES TIMEOUT 300)
