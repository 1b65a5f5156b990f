// SPDX-License-Identifier: MIT
// mlp_credits - a vector enters what never waits only where a place is kept for its result
//
//     out = done, in order
//
// Golden model   the identity
// Stream         in: vectors to let in, as `enters`; done: their results, a fixed time later
// Latency        0 cycles from `done` to `out`, a result a cycle
//
// What lies between `enters` and `done` has no ready: a result that nobody takes is kept here, and as
// many vectors enter as there are places. PLACES is 1 more than the cycles between, or a result could
// not leave in every cycle.

`default_nettype none

module mlp_credits #(
    parameter W      = 8,               // bits of a result
    parameter PLACES = 4                // vectors under way or kept, 2 or more
) (
    input  wire         clk,
    input  wire         rst,            // synchronous, active high

    input  wire         in_valid,
    output wire         in_ready,
    output wire         enters,

    input  wire         done_valid,
    input  wire [W-1:0] done_data,

    output wire         out_valid,
    input  wire         out_ready,
    output wire [W-1:0] out_data
);

    localparam COUNT_W = $clog2(PLACES + 1);
    localparam ADDR_W  = PLACES > 1 ? $clog2(PLACES) : 1;  // all but the first that is kept

    reg [COUNT_W-1:0] places;                   // that are free
    reg               kept;                     // the next result to leave, from the memory or not
    reg               from_memory;
    reg [W-1:0]       spare, word;
    reg [ADDR_W-1:0]  first, last;              // of the results in the memory, and behind them
    reg [W-1:0]       words [0:(1 << ADDR_W)-1];

    wire empty = first == last;
    wire move  = !kept || out_ready;
    wire pull  = kept && out_ready && !empty;
    wire push  = done_valid && kept && !(out_ready && empty);

    assign in_ready  = places != {COUNT_W{1'b0}};
    assign enters    = in_valid && in_ready;
    assign out_valid = kept || done_valid;
    assign out_data  = !kept ? done_data : from_memory ? word : spare;

    always @(posedge clk) begin
        if (rst) begin
            places <= PLACES[COUNT_W-1:0];
            kept   <= 1'b0;
            first  <= {ADDR_W{1'b0}};
            last   <= {ADDR_W{1'b0}};
        end else begin
            places <= places - {{(COUNT_W-1){1'b0}}, enters}
                             + {{(COUNT_W-1){1'b0}}, out_valid && out_ready};
            kept   <= kept ? !out_ready || done_valid || !empty : done_valid && !out_ready;
            first  <= first + {{(ADDR_W-1){1'b0}}, pull};
            last   <= last + {{(ADDR_W-1){1'b0}}, push};
        end
    end

    // No word is read in the cycle that writes it: it would be the first, which the spare takes.
    always @(posedge clk) begin
        if (push)
            words[last] <= done_data;
    end

    always @(posedge clk) begin
        if (pull)
            word <= words[first];
    end

    always @(posedge clk) begin
        if (move) begin
            spare       <= done_data;
            from_memory <= pull;
        end
    end

    initial begin
        if (PLACES < 2) begin
            $display("%m: PLACES=%0d: need 2 or more", PLACES);
            $finish;
        end
    end

endmodule

`default_nettype wire
