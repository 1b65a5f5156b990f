// SPDX-License-Identifier: MIT
// mlp_link_guard - resets the core between requests, and holds its result against its latency
//
// Golden model   none: tb/benches/upset_bench.py upsets the core and sees what is answered
// Latency        core_rst falls 1 cycle after busy rises, and rises 1 cycle after it falls
//
// A flip-flop that an upset turned over keeps its wrong value for one request at most. A result
// that comes before its time is none of this request.

`default_nettype none

module mlp_link_guard #(
    parameter LATENCY = 100             // cycles from the last feature to the result, 2 or more
) (
    input  wire clk,
    input  wire rst,                    // synchronous, active high

    input  wire busy,                   // from a request to the end of its answer
    input  wire fed,                    // the core takes a feature, or a byte of a load
    input  wire p_valid,                // the core has a result

    output reg  core_rst,
    output reg  early,                  // it came too early
    output wire expired                 // 2*LATENCY cycles since the last of them
);

    localparam integer LIMIT = 2 * LATENCY;
    localparam integer LEAST = LATENCY - 1;
    localparam COUNT_W       = $clog2(LIMIT + 1);

    reg [COUNT_W-1:0] count;            // cycles since the core took something

    assign expired = count >= LIMIT[COUNT_W-1:0];

    // Power-up begins in reset, before a clock: banks of weights keep their places.
    initial
        core_rst = 1'b1;

    always @(posedge clk)
        core_rst <= rst || !busy;

    always @(posedge clk) begin
        if (core_rst || fed)
            count <= {COUNT_W{1'b0}};
        else if (!expired)
            count <= count + 1'b1;
    end

    always @(posedge clk) begin
        if (core_rst)
            early <= 1'b0;
        else if (p_valid && count < LEAST[COUNT_W-1:0])
            early <= 1'b1;
    end

    initial begin
        if (LATENCY < 2) begin
            $display("%m: LATENCY is %0d: need 2 or more", LATENCY);
            $finish;
        end
    end

endmodule

`default_nettype wire
