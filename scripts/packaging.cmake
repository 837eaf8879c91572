# "cmake --install", and the Debian packages that CPack makes of it (scripts/package).
include(GNUInstallDirs)

set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                                                WORLD_READ WORLD_EXECUTE)
set(doc share/doc/pons)
set(PONS_PLUGIN_DIR lib/cni CACHE STRING "Plugin directory below the prefix: lib/cni (Debian) or libexec/cni (Fedora)")

# A text with paths of files of pons, or one that is compressed: see there.
function(install_text source target component)
  install(CODE "set(source \"${PROJECT_SOURCE_DIR}/${source}\")
set(target \"${target}\")
set(plugin_dir \"${PONS_PLUGIN_DIR}\")
include(\"${PROJECT_SOURCE_DIR}/scripts/packaging/text.cmake\")" COMPONENT ${component} ${ARGN})
endfunction()

function(install_link target destination name component)
  set(made ${PROJECT_BINARY_DIR}/links/${name})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/links)
  file(CREATE_LINK ${target} ${made} SYMBOLIC)
  install(FILES ${made} DESTINATION ${destination} COMPONENT ${component} ${ARGN})
endfunction()

install(TARGETS pons EXPORT pons RUNTIME DESTINATION ${PONS_PLUGIN_DIR} COMPONENT pons)
install(TARGETS ponsctl EXPORT pons RUNTIME DESTINATION sbin COMPONENT pons)
# For find_package(pons) of another project, such as an image's: "cmake --install BUILD --component cmake", by itself.
install(EXPORT pons NAMESPACE pons:: FILE pons-config.cmake DESTINATION lib/cmake/pons COMPONENT cmake EXCLUDE_FROM_ALL)
# For "pons list" and the like, which execute ponsctl: for one release.
install_link(../${PONS_PLUGIN_DIR}/pons sbin pons pons)

foreach(page pons.8 ponsctl.8 pons.conf.5 pons-troubleshooting.7 pons-migration.7)
  string(REGEX REPLACE ".*[.]" "" section ${page})
  install_text(scripts/man/${page} share/man/man${section}/${page}.gz pons)
endforeach()
install_text(scripts/systemd/pons-watch.service lib/systemd/system/pons-watch.service pons)
install_text(CHANGELOG.md ${doc}/changelog.gz pons)
install(FILES scripts/debian/copyright README.md CONTRIBUTING.md SECURITY.md DESTINATION ${doc} COMPONENT pons)
install(FILES LICENSE DESTINATION ${doc} COMPONENT license) # Debian has it in common-licenses
install(DIRECTORY tests/bench/charts DESTINATION ${doc}/tests/bench COMPONENT pons) # the pictures in README.md
install(DIRECTORY conf-examples/ scripts/kubernetes scripts/prometheus DESTINATION ${doc}/examples COMPONENT pons)
install(FILES scripts/completion/ponsctl DESTINATION share/bash-completion/completions COMPONENT pons)
install(FILES scripts/systemd/pons.tmpfiles DESTINATION lib/tmpfiles.d RENAME pons.conf COMPONENT pons)
install(FILES scripts/managers/10-pons.conf DESTINATION lib/NetworkManager/conf.d COMPONENT pons)
install(FILES scripts/managers/10-pons.network scripts/managers/10-pons.link DESTINATION lib/systemd/network
        COMPONENT pons)
install(FILES scripts/modules/modules-load.conf DESTINATION lib/modules-load.d RENAME pons.conf COMPONENT pons)
install(FILES scripts/modules/modprobe.conf DESTINATION lib/modprobe.d RENAME pons.conf COMPONENT pons)
# For other plugin directories, such as /opt/cni/bin.
install(PROGRAMS scripts/install DESTINATION share/pons COMPONENT pons)

# Of the Debian packages alone.
foreach(package pons links)
  string(REPLACE links pons-links directory share/doc/${package})
  install_text(scripts/debian/changelog ${directory}/changelog.Debian.gz ${package} EXCLUDE_FROM_ALL)
endforeach()
install(FILES scripts/debian/lintian-overrides DESTINATION share/lintian/overrides RENAME pons COMPONENT pons
        EXCLUDE_FROM_ALL)

# The names of the reference plugins: a package of their own, which diverts Debian's files. Without packages
# scripts/install makes these links.
foreach(name bridge host-local static loopback portmap firewall bandwidth tuning)
  install_link(pons lib/cni ${name} links EXCLUDE_FROM_ALL)
endforeach()
install(FILES scripts/debian/copyright DESTINATION share/doc/pons-links COMPONENT links EXCLUDE_FROM_ALL)

file(STRINGS scripts/packaging/addresses addresses REGEX "^[a-z]+=")
foreach(line IN LISTS addresses)
  string(REGEX MATCH "^([a-z]+)=\"(.*)\"" _ "${line}")
  set(${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
endforeach()

set(CPACK_GENERATOR DEB)
# For install_text: CMAKE_INSTALL_PREFIX is /usr, and not CPack's own directory.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_COMPONENTS_ALL pons links)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${maintainer}")
set(CPACK_DEBIAN_PACKAGE_HOMEPAGE "${homepage}")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(maintainer_scripts ${PROJECT_SOURCE_DIR}/scripts/debian)
set(CPACK_DEBIAN_PONS_PACKAGE_NAME pons)
set(CPACK_DEBIAN_PONS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PONS_PACKAGE_SUGGESTS "pons-links, prometheus-node-exporter")
set(CPACK_DEBIAN_PONS_PACKAGE_CONTROL_EXTRA
    "${maintainer_scripts}/postinst;${maintainer_scripts}/prerm;${maintainer_scripts}/postrm")
set(CPACK_COMPONENT_PONS_DESCRIPTION
    "CNI plugin that connects containers to a Linux bridge
A container runtime calls pons, which sets up a veth pair, addresses, routes,
masquerade, published ports and bandwidth limits, and IP forwarding for as
long as a container needs it: one process, with a constant number of netlink
messages and without iptables. Each change is recorded before it is made, so
that a failed or killed ADD can be rolled back.
.
The command ponsctl lists and checks container networks, diagnoses the host,
and restores what other programs removed from the kernel.")

set(CPACK_DEBIAN_LINKS_PACKAGE_NAME pons-links)
set(CPACK_DEBIAN_LINKS_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_LINKS_PACKAGE_DEPENDS "pons (= ${PROJECT_VERSION}-1)")
set(CPACK_DEBIAN_LINKS_PACKAGE_CONTROL_EXTRA
    "${maintainer_scripts}/links/preinst;${maintainer_scripts}/links/prerm;${maintainer_scripts}/links/postrm")
set(CPACK_COMPONENT_LINKS_DESCRIPTION
    "pons under the names of the CNI reference plugins
Installs pons as bridge, host-local, static, loopback, portmap, firewall,
bandwidth and tuning in /usr/lib/cni, so that existing configurations work
unchanged. The plugins of containernetworking-plugins are diverted to
NAME.reference, and restored when this package is removed.")
include(CPack)
