// SPDX-License-Identifier: MIT
// mlp_link_id - keeps the ID of the network whose weights answer
//
// Golden model   boards/protocol.py: network_id
// Latency        id changes 1 cycle after done
//
// Like the bank in mlp_load it stays over a reset, and is set at power-up alone. Where the banks
// change places and no load was given, it becomes that of no network.

`default_nettype none

module mlp_link_id #(
    parameter [31:0] ID = 32'd0         // at power-up
) (
    input  wire        clk,
    input  wire        core_rst,        // the core forgets what it was given

    input  wire        given,           // the core has a whole load
    input  wire [31:0] given_id,        // of that load, until the core has answered
    input  wire        done,            // its answer, the banks change places
    input  wire        refused,         // or this, they do not

    output reg  [31:0] id
);

    reg pending;

    initial begin
        pending = 1'b0;
        id      = ID;
    end

    always @(posedge clk) begin
        if (core_rst || done || refused)
            pending <= 1'b0;
        else if (given)
            pending <= 1'b1;
    end

    // A reset that comes with the change finds its answer in the cycle after.
    always @(posedge clk) begin
        if (done && (pending || !core_rst))
            id <= pending ? given_id : ~id;
    end

endmodule

`default_nettype wire
