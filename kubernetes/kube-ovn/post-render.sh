#!/bin/sh
# Puts ovsnet beside Open vSwitch into what helm renders of Kube-OVN's chart: helm upgrade ... --post-renderer THIS-FILE
# An upgrade with it keeps ovsnet, for helm then compares a chart that has it with another that has it. One without it
# takes ovsnet out.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/chart.yaml"
cat > "$place/patch.yaml" <<'PATCH'
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: ovs-ovn
  namespace: kube-system
spec:
  template:
    spec:
      containers:
        - name: openvswitch
          startupProbe:
            httpGet:
              path: /startupz
              host: "127.0.0.1"
              port: 10670
            periodSeconds: 1
            timeoutSeconds: 1
            failureThreshold: 2147483647
          readinessProbe:
            exec: null
            initialDelaySeconds: null
            httpGet:
              path: /readyz
              host: "127.0.0.1"
              port: 10670
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 2
          livenessProbe:
            exec: null
            initialDelaySeconds: null
            httpGet:
              path: /ovs/livez
              host: "127.0.0.1"
              port: 10670
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 36
        - name: ovsnet
          image: ovsnet:latest
          args:
            - serve
          env:
            - name: OVSNET_LISTEN_SHARED
              value: "true"
          startupProbe:
            httpGet:
              path: /livez
              host: "127.0.0.1"
              port: 10670
            periodSeconds: 1
            timeoutSeconds: 1
            failureThreshold: 60
          livenessProbe:
            httpGet:
              path: /livez
              host: "127.0.0.1"
              port: 10670
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          readinessProbe:
            httpGet:
              path: /livez
              host: "127.0.0.1"
              port: 10670
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 3
          resources:
            requests:
              cpu: 10m
              memory: 48Mi
            limits:
              memory: 256Mi
          securityContext:
            runAsUser: 65534
            runAsGroup: 65534
            allowPrivilegeEscalation: false
            capabilities:
              drop:
                - ALL
            privileged: false
            readOnlyRootFilesystem: true
            seccompProfile:
              type: RuntimeDefault
          volumeMounts:
            - name: host-run-ovs
              mountPath: /run/openvswitch
              readOnly: true
            - name: host-run-ovn
              mountPath: /run/ovn
              readOnly: true
PATCH
cat > "$place/dpdk.yaml" <<'PATCH'
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: ovs-ovn-dpdk
  namespace: kube-system
spec:
  template:
    spec:
      containers:
        - name: openvswitch
          startupProbe:
            httpGet:
              path: /startupz
              host: "127.0.0.1"
              port: 10670
            periodSeconds: 1
            timeoutSeconds: 1
            failureThreshold: 2147483647
          readinessProbe:
            exec: null
            initialDelaySeconds: null
            httpGet:
              path: /readyz
              host: "127.0.0.1"
              port: 10670
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 2
          livenessProbe:
            exec: null
            initialDelaySeconds: null
            httpGet:
              path: /ovs/livez
              host: "127.0.0.1"
              port: 10670
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 36
        - name: ovsnet
          image: ovsnet:latest
          args:
            - serve
          env:
            - name: OVSNET_LISTEN_SHARED
              value: "true"
          startupProbe:
            httpGet:
              path: /livez
              host: "127.0.0.1"
              port: 10670
            periodSeconds: 1
            timeoutSeconds: 1
            failureThreshold: 60
          livenessProbe:
            httpGet:
              path: /livez
              host: "127.0.0.1"
              port: 10670
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          readinessProbe:
            httpGet:
              path: /livez
              host: "127.0.0.1"
              port: 10670
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 3
          resources:
            requests:
              cpu: 10m
              memory: 48Mi
            limits:
              memory: 256Mi
          securityContext:
            runAsUser: 0
            runAsGroup: 0
            allowPrivilegeEscalation: false
            capabilities:
              drop:
                - ALL
            privileged: false
            readOnlyRootFilesystem: true
            seccompProfile:
              type: RuntimeDefault
          volumeMounts:
            - name: host-run-ovs
              mountPath: /run/openvswitch
              readOnly: true
            - name: host-run-ovn
              mountPath: /run/ovn
              readOnly: true
PATCH
# The agent is the user who runs Open vSwitch: root in 1.12, with IPsec and with DPDK, 65534 else.
cat > "$place/kustomization.yaml" <<'KUSTOMIZATION'
resources:
  - chart.yaml
patches:
  - path: patch.yaml
    target:
      kind: DaemonSet
      name: ovs-ovn
  - path: dpdk.yaml
    target:
      kind: DaemonSet
      name: ovs-ovn-dpdk
replacements:
  - source:
      kind: DaemonSet
      name: ovs-ovn
      fieldPath: "spec.template.spec.containers.[name=openvswitch].securityContext.runAsUser"
    targets:
      - select:
          kind: DaemonSet
          name: ovs-ovn
        fieldPaths:
          - "spec.template.spec.containers.[name=ovsnet].securityContext.runAsUser"
          - "spec.template.spec.containers.[name=ovsnet].securityContext.runAsGroup"
KUSTOMIZATION
${KUSTOMIZE:-kubectl kustomize} "$place"
